"""Likely label errors: training reviews whose label is improbable to models that were trained without them.

For two labels, ordering by the out-of-fold probability of the stated label is also the order of confident learning
(Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, 2021), whose
cut-off leaves out part of the list; `python -m benchmarks.label_errors` compares both on labels flipped on purpose.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.reviews import REVIEWS_NAME, Review, read
from training.data.splits import assign
from training.evaluation.predictions import ScoredReviews, out_of_fold_predictions
from training.model.run_folder import Run
from training.progress import ProgressCallback, silent


@dataclass(frozen=True)
class LikelyError:
    """A training review, with the out-of-fold probability (0..1) of its label."""

    review: Review
    probability: float


def out_of_fold_reviews(run: Run, data_folder: Path, tick: ProgressCallback = silent) -> ScoredReviews:
    """Return the out-of-fold scores of a run's training reviews."""
    recipe = run.record.prepared.recipe
    path = data_folder / REVIEWS_NAME
    splits = assign(path, recipe["reviews"])
    return out_of_fold_predictions(run.held_out, run.encoder, path, splits, bool(recipe["crops"]), tick).reviews


def likely_label_errors(scored: ScoredReviews, data_folder: Path, count: int) -> list[LikelyError]:
    """Return the training reviews with the least probable labels, the least probable first."""
    own = np.where(scored.labels == 1, scored.probabilities, 1 - scored.probabilities)
    first = {scored.ids[place]: float(own[place]) for place in np.argsort(own, kind="stable")[:count]}
    reviews = {review.id: review for review in read(data_folder / REVIEWS_NAME) if review.id in first}
    return [LikelyError(reviews[identifier], probability) for identifier, probability in first.items()]
