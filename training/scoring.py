"""Labelled reviews -> rows -> probabilities: the one way in which this package asks a model about a file.

Rows are encoded in several processes by the same code as the app's, and read as the container reads them: a column
that a row does not name is missing, not zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix

from chalicelib.text import words
from chalicelib.vocabulary import Vocabulary
from training.parallel import map_reviews
from training.progress import Tick, silent
from training.reviews import Review
from training.splits import Splits

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """Reviews of one split and what the model says of them; every field has one entry a review, in the file's order.

    `labels` are 1 for positive, `ratings` stars (0: unknown), `word_counts` and `known_shares` (0..1) are of the
    cleaned words, `probabilities` (0..1) are of positive.
    """

    ids: list[str]
    labels: Integers
    ratings: Integers
    word_counts: Integers
    known_shares: Floats
    probabilities: Floats


def load_booster(model: bytes) -> xgboost.Booster:
    """Make a booster of a saved model's bytes; one thread, as the processes that encode have the others."""
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(model))
    return booster


def matrix(rows: Sequence[str], columns: int) -> csr_matrix:
    """Read libsvm rows without labels into a sparse matrix of (rows, columns)."""
    numbers = np.array(" ".join(rows).replace(":", " ").split(), dtype=np.float32)
    lengths = [row.count(":") for row in rows]
    return csr_matrix(
        (numbers[1::2], numbers[::2].astype(np.int32), np.cumsum([0, *lengths])), shape=(len(rows), columns)
    )


def score(
    booster: xgboost.Booster, vocabulary: Vocabulary, path: Path, splits: Splits, split: str, tick: Tick = silent
) -> Scored:
    """Score the reviews of one split of a file."""
    facts: list[tuple[str, int, int, int, float]] = []
    probabilities: list[npt.NDArray[np.float32]] = []
    for found, rows in map_reviews(_encode, path, (vocabulary, splits, split), tick):
        if rows:
            facts += found
            probabilities.append(booster.predict(xgboost.DMatrix(matrix(rows, vocabulary.last_column + 1), nthread=1)))
    ids, labels, ratings, word_counts, known_shares = zip(*facts, strict=True) if facts else ((),) * 5
    return Scored(
        list(ids),
        np.array(labels, dtype=np.int64),
        np.array(ratings, dtype=np.int64),
        np.array(word_counts, dtype=np.int64),
        np.array(known_shares, dtype=np.float64),
        np.concatenate(probabilities).astype(np.float64) if probabilities else np.array([]),
    )


def empty_score(booster: xgboost.Booster, vocabulary: Vocabulary) -> float:
    """Return the probability of positive (0..1) of a review that holds no term: what the model says of nothing."""
    nothing = matrix([vocabulary.row([])], vocabulary.last_column + 1)
    return float(booster.predict(xgboost.DMatrix(nothing, nthread=1))[0])


def _encode(
    shared: tuple[Vocabulary, Splits, str], reviews: Iterator[Review]
) -> tuple[list[tuple[str, int, int, int, float]], list[str]]:
    """Return (id, label, rating or 0, words, known share) and the row of each review of a split."""
    vocabulary, splits, split = shared
    facts: list[tuple[str, int, int, int, float]] = []
    rows: list[str] = []
    for review in reviews:
        if splits.of(review) == split:
            found = words(review.text)
            facts.append((review.id, review.label, review.rating or 0, len(found), vocabulary.known_share(found)))
            rows.append(vocabulary.row(found))
    return facts, rows
