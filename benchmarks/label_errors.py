"""Label errors found among labels that were flipped on purpose: out-of-fold probabilities beside cleanlab.

`python -m benchmarks.label_errors DATA [REVIEWS]` flips 500 labels of the training reviews in a copy of a folder of
data, prepares and trains on it, and counts how many of the flipped reviews are among the first 500 that each method
names. cleanlab is compared if it is installed; it gets the same out-of-fold probabilities. With REVIEWS, only that many
training reviews are kept, which takes minutes instead of a quarter of an hour.
"""

import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from training.checking.label_errors import likely_label_errors, out_of_fold_reviews
from training.data.reviews import (
    REVIEWS_NAME,
    SHORT_TEXTS_NAME,
    UNLABELLED_NAME,
    read,
    read_short_texts,
    read_unlabelled,
    write,
)
from training.evaluation.predictions import ScoredReviews
from training.features.prepare import prepare
from training.model.hyperparameters import PRESETS
from training.model.run_folder import load_run
from training.model.train import train

FLIPPED = 500


def flip(data: Path, into: Path, kept: int | None) -> set[str]:
    """Write a copy of the data with flipped labels of training reviews; returns the ids that they have there."""
    reviews = list(read(data / REVIEWS_NAME))
    if kept is not None:
        training_reviews = [review for review in reviews if review.split == "train"]
        reviews = random.Random(2).sample(training_reviews, kept)
    training = [place for place, review in enumerate(reviews) if review.split == "train"]
    first = 1 + max(review.number for review in reviews)
    flipped: set[str] = set()
    for place in random.Random(1).sample(training, FLIPPED):
        review = reviews[place]
        reviews[place] = replace(review, label=1 - review.label, rating=None, number=first + place)  # an id of its own
        flipped.add(reviews[place].id)
    unlabelled, short_texts = data / UNLABELLED_NAME, data / SHORT_TEXTS_NAME
    write(
        into,
        reviews,
        "flipped labels",
        read_unlabelled(unlabelled) if unlabelled.exists() else (),
        read_short_texts(short_texts) if short_texts.exists() else (),
    )
    return flipped


def cleanlab_order(scored: ScoredReviews) -> Sequence[str] | None:
    """Return the ids in cleanlab's order, None if it is not installed."""
    try:
        from cleanlab.filter import find_label_issues
    except ModuleNotFoundError:
        return None
    probabilities = np.column_stack([1 - scored.probabilities, scored.probabilities])
    order = find_label_issues(scored.labels, probabilities, return_indices_ranked_by="self_confidence")
    return [scored.ids[place] for place in order]


def main(data: Path, kept: int | None = None) -> None:
    """Flip, train, and print how many flipped labels each method finds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flipped = flip(data, folder / "data", kept)
        prepare(folder / "data", folder / "channels")
        train(folder / "channels", folder / "run", PRESETS["default"])
        scored = out_of_fold_reviews(load_run(folder / "run"), folder / "data")
        own = [each.review.id for each in likely_label_errors(scored, folder / "data", len(scored.ids))]
        orders = {"out-of-fold probability": own, "cleanlab": cleanlab_order(scored)}
    table = Table("method", "named", "found among the first 500", "found in all", title=f"{FLIPPED} flipped labels")
    for method, order in orders.items():
        if order is not None:
            found = [len(flipped & set(order[:count])) for count in (FLIPPED, len(order))]
            table.add_row(method, f"{len(order):,}", f"{found[0]:,}", f"{found[1]:,}")
    Console().print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data"), int(sys.argv[2]) if len(sys.argv) > 2 else None)
