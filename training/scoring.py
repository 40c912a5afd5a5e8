"""Labelled reviews -> rows -> probabilities: the one way in which this package asks a model about a file.

Rows are encoded in several processes by the same code as the app's, and read as the container reads them: a column
that a row does not name is missing, not zero. Every review is asked about whole, and, where asked for, one crop of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix

from chalicelib.encoder import Encoder
from chalicelib.text import words
from training.crops import crops_of
from training.parallel import map_reviews
from training.progress import Tick, silent
from training.reviews import Review
from training.splits import TEST, Splits

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Fact = tuple[str, int, int, int, int, float]  # id, label, rating or 0, place, words, known share


@dataclass(frozen=True)
class Scored:
    """Reviews and what a model says of them; every field has one entry a review, in the file's order.

    `labels` are 1 for positive, `ratings` stars (0: unknown), `folds` the place (a fold, or the test), `word_counts`
    and `known_shares` (0..1) are of the cleaned words, `probabilities` (0..1) are of positive.
    """

    ids: list[str]
    labels: Integers
    ratings: Integers
    folds: Integers
    word_counts: Integers
    known_shares: Floats
    probabilities: Floats


@dataclass(frozen=True)
class Asked:
    """Whole reviews, and one crop of each where crops were asked for."""

    reviews: Scored
    crops: Scored | None


@dataclass(frozen=True)
class _Asking:
    """Which reviews are read, and how."""

    encoder: Encoder
    splits: Splits
    crops: bool


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
    booster: xgboost.Booster, encoder: Encoder, path: Path, splits: Splits, crops: bool = True, tick: Tick = silent
) -> Asked:
    """Score the reviews of the test."""
    facts: list[Fact] = []
    probabilities: list[npt.NDArray[np.float32]] = []
    for found, rows in map_reviews(_encode, path, _Asking(encoder, splits, crops), tick):
        if rows:
            facts += found
            probabilities.append(booster.predict(xgboost.DMatrix(matrix(rows, encoder.columns), nthread=1)))
    return _asked(facts, np.concatenate(probabilities).astype(np.float64) if probabilities else np.array([]), crops)


def recall(
    held_out: Sequence[Sequence[float]], encoder: Encoder, path: Path, splits: Splits, crops: bool, tick: Tick = silent
) -> Asked:
    """Join what the folds' models said of the reviews they never saw, fold by fold, with those reviews."""
    facts = [fact for part in map_reviews(_describe, path, _Asking(encoder, splits, crops), tick) for fact in part]
    places = np.array([fact[3] for fact in facts])
    probabilities = np.empty(len(facts))
    for fold, said in enumerate(held_out):
        probabilities[places == fold] = said
    return _asked(facts, probabilities, crops)


def _asked(facts: Sequence[Fact], probabilities: Floats, crops: bool) -> Asked:
    """Take reviews and crops apart, which take turns where there are crops."""
    if not crops:
        return Asked(_scored(facts, probabilities), None)
    return Asked(_scored(facts[::2], probabilities[::2]), _scored(facts[1::2], probabilities[1::2]))


def _scored(facts: Sequence[Fact], probabilities: Floats) -> Scored:
    """Turn facts, one tuple a review, into lists."""
    ids, labels, ratings, folds, word_counts, known_shares = zip(*facts, strict=True) if facts else ((),) * 6
    return Scored(
        ids=list(ids),
        labels=np.array(labels, dtype=np.int64),
        ratings=np.array(ratings, dtype=np.int64),
        folds=np.array(folds, dtype=np.int64),
        word_counts=np.array(word_counts, dtype=np.int64),
        known_shares=np.array(known_shares, dtype=np.float64),
        probabilities=probabilities,
    )


def empty_score(booster: xgboost.Booster, encoder: Encoder) -> float:
    """Return the probability of positive (0..1) of a review that holds no term: what the model says of nothing."""
    nothing = matrix([encoder.row([])], encoder.columns)
    return float(booster.predict(xgboost.DMatrix(nothing, nthread=1))[0])


def _texts(review: Review, crops: bool) -> list[list[str]]:
    """Return the words of a review, and of its crop where crops are asked for."""
    return [words(text) for text in (review.text, *crops_of(review.id, review.text, int(crops)))]


def _fact(review: Review, place: int, found: list[str], encoder: Encoder) -> Fact:
    """Return what is to be known of a review of these words."""
    known = encoder.vocabulary.known_share(found)
    return review.id, review.label, review.rating or 0, place, len(found), known


def _encode(asking: _Asking, reviews: Iterator[Review]) -> tuple[list[Fact], list[str]]:
    """Return the facts and the rows of the test reviews of a stretch."""
    facts: list[Fact] = []
    rows: list[str] = []
    for review in reviews:
        if asking.splits.of(review) == TEST:
            for found in _texts(review, asking.crops):
                facts.append(_fact(review, TEST, found, asking.encoder))
                rows.append(asking.encoder.row(found))
    return facts, rows


def _describe(asking: _Asking, reviews: Iterator[Review]) -> list[Fact]:
    """Return the facts of the reviews of a stretch that are in a fold."""
    placed = ((asking.splits.of(review), review) for review in reviews if asking.splits.learns(review))
    return [
        _fact(review, place, found, asking.encoder)
        for place, review in placed
        if place is not None
        for found in _texts(review, asking.crops)
    ]
