"""Labelled reviews -> rows -> probabilities: the one way in which this package asks a model about a file.

Rows are encoded in several processes by the same code as the app's, and read as the container reads them: a column
that a row does not name is missing, not zero. Every review is asked about whole, and, where asked for, one crop of it.
Who answers is passed in: a model here, or one on SageMaker.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix

from chalicelib.encoder import Encoder
from chalicelib.text import words
from training.data.excerpts import excerpts_of
from training.data.reviews import Review
from training.data.splits import TEST, Splits
from training.parallel import map_reviews
from training.progress import ProgressCallback, silent

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Predict = Callable[[Sequence[str]], Floats]  # libsvm rows -> the probability of positive (0..1) of each, in their order
Fact = tuple[str, int, int, int, int, float]  # id, label, rating or 0, place, words, known share
_BATCH = 5_000  # rows


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


def predictor(model: bytes, columns: int) -> Predict:
    """Make the `Predict` of a saved model (UBJSON) that is asked here, some rows at a time."""
    booster = load_booster(model)

    def predict(rows: Sequence[str]) -> Floats:
        parts = [matrix(rows[start : start + _BATCH], columns) for start in range(0, len(rows), _BATCH)]
        said = [booster.predict(xgboost.DMatrix(part, nthread=1)) for part in parts]
        return np.concatenate(said).astype(np.float64) if said else np.array([])

    return predict


def score(
    predict: Predict, encoder: Encoder, path: Path, splits: Splits, crops: bool = True, tick: ProgressCallback = silent
) -> Asked:
    """Score the reviews of the test; `predict` is asked once, about all rows."""
    facts: list[Fact] = []
    rows: list[str] = []
    for found, encoded in map_reviews(_encode, path, _Asking(encoder, splits, crops), tick):
        facts += found
        rows += encoded
    return _asked(facts, predict(rows), crops)


def score_all(predict: Predict, encoder: Encoder, reviews: Iterable[Review]) -> Scored:
    """Score reviews from elsewhere, each whole, as if they were a test."""
    asked = [(review, words(review.text)) for review in reviews]
    facts = [_fact(review, TEST, found, encoder) for review, found in asked]
    return _scored(facts, predict([encoder.row(found) for _, found in asked]))


def recall(
    held_out: Sequence[Sequence[float]],
    encoder: Encoder,
    path: Path,
    splits: Splits,
    crops: bool,
    tick: ProgressCallback = silent,
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


def empty_score(predict: Predict, encoder: Encoder) -> float:
    """Return the probability of positive (0..1) of a review that holds no term: what the model says of nothing."""
    return float(predict([encoder.row([])])[0])


def _texts(review: Review, crops: bool) -> list[list[str]]:
    """Return the words of a review, and of its crop where crops are asked for."""
    return [words(text) for text in (review.text, *excerpts_of(review.id, review.text, int(crops)))]


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
