"""N-gram weights: for each n-gram, from a word to a triple, how strongly it points to positive or negative.

A table has two weights for each n-gram. The learned weight comes from a logistic regression over all n-grams that
occur, each scaled by its log-count ratio (NB-SVM: Wang & Manning, ACL 2012); it is fitted on reviews and, with little
weight, on excerpts of them. The other weight is the log-count ratio itself. N-grams are chosen by the number of reviews
that contain them, never by label.

The trees must not see weights that were learned from the labels of their own rows: they would trust them too much.
Weights learned from far fewer reviews than those of the released table would be too weak, and the trees would trust
them too little. So separate tables are learned:

- without each tenth of the reviews (half a fold), for the rows of that tenth;
- without each fold, for the rows of the fold that is held out;
- without a fold and one tenth of the others, for the rows of that tenth when the fold is held out.

With the table of all reviews, which is released, these are 56.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags_array, vstack

from chalicelib.ngram_features import (
    LEARNED_WEIGHT_UNITS,
    LOG_COUNT_RATIO_UNITS,
    NGRAM_KINDS,
    NgramTable,
    hash_ngrams,
)
from chalicelib.text import words
from training.data.excerpts import excerpts_of
from training.data.reviews import DataError, Review
from training.data.splits import FOLDS, TENTHS, LeftOut, tenths_of
from training.parallel import map_items
from training.progress import ProgressCallback, silent

SLOTS = 1 << 20
MIN_REVIEWS = dict(zip(NGRAM_KINDS, (3, 4, 6, 8, 4), strict=True))  # kind -> reviews that must contain an n-gram
EXCERPTS_PER_REVIEW = 3
EXCERPT_WEIGHT = 0.1  # of one excerpt; a review has weight 1
SCALE_SMOOTHING = 3.0  # added to the counts behind the scale of a regression's columns
RATIO_SMOOTHING = 1.0  # added to the counts behind the log-count ratios of the table
RIDGE = 1e-6  # the penalty on squared weights, relative to the mean loss of a review
LARGEST_CODE = 127
MAX_STEPS = 100  # of the regression's solver, which takes about half of them
STRONGEST = 40  # n-grams of each label that reports list
_FEW_REVIEWS = 2_000  # below this number, starting more processes takes longer than it saves

Hashes = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.int8]
Tables = Mapping[LeftOut, NgramTable | None]


@dataclass
class HashedReviews:
    """The hashed n-grams of the training reviews, with their labels and tenths.

    `variants` is variant -> review -> kind -> distinct hashes. Variant 0 is the whole review, the others its excerpts.
    """

    labels: list[int] = field(default_factory=list)
    tenths: list[int] = field(default_factory=list)
    variants: list[list[list[Hashes]]] = field(default_factory=lambda: [[] for _ in range(1 + EXCERPTS_PER_REVIEW)])

    def append(self, review: Review, tenth: int, whole: Sequence[str]) -> None:
        """Hash the n-grams of a review, whose words are `whole`, and of its excerpts."""
        self.labels.append(review.label)
        self.tenths.append(tenth)
        excerpts = map(words, excerpts_of(review.id, review.text, EXCERPTS_PER_REVIEW))
        for variant, text in zip(self.variants, (whole, *excerpts), strict=True):
            variant.append([np.unique(np.array(kind, dtype=np.uint32)) for kind in hash_ngrams(text).by_kind])

    def extend(self, other: "HashedReviews") -> None:
        """Append other hashed reviews."""
        self.labels += other.labels
        self.tenths += other.tenths
        for variant, others in zip(self.variants, other.variants, strict=True):
            variant += others


@dataclass(frozen=True)
class LearnedWeights:
    """The tables by the tenths left out of their training, the number of n-grams, and the strongest weights.

    `strongest` is hash -> learned weight in the table of all reviews: the lowest and the highest `STRONGEST` weights.
    """

    tables: Tables
    ngrams: int
    strongest: dict[int, float]


@dataclass(frozen=True)
class _TrainingMatrix:
    """The regressions' input: a matrix (reviews, n-grams) for each variant, and each review's label and tenth."""

    variants: Sequence[csr_matrix]
    labels: npt.NDArray[np.int64]
    tenths: npt.NDArray[np.int64]


def learn_weights(reviews: HashedReviews, tick: ProgressCallback = silent, slots: int = SLOTS) -> LearnedWeights:
    """Learn all tables; raises `DataError` if no n-gram occurs in enough reviews."""
    slot_hashes = choose_ngrams(reviews.variants[0], slots)
    matrix = _TrainingMatrix(
        [_matrix(variant, slot_hashes, slots) for variant in reviews.variants],
        np.array(reviews.labels),
        np.array(reviews.tenths),
    )
    sets = left_out_sets()
    codes = list(map_items(_fit, sets, matrix, tick, alone=len(reviews.labels) < _FEW_REVIEWS))
    tables = {left_out: _table(slot_hashes, *pair, slots) for left_out, pair in zip(sets, codes, strict=True)}
    return LearnedWeights(tables, len(slot_hashes), _strongest(slot_hashes, codes[0][0]))


def left_out_sets() -> list[LeftOut]:
    """Return the tenths left out for each table: first the empty set, for the table that is released."""
    folds = [tenths_of(fold) for fold in range(FOLDS)]
    tenths = [frozenset({tenth}) for tenth in range(TENTHS)]
    return [frozenset(), *tenths, *folds, *(fold | tenth for fold in folds for tenth in tenths if not tenth <= fold)]


def no_weights() -> LearnedWeights:
    """Return the result for rows without n-gram features."""
    return LearnedWeights(dict.fromkeys(left_out_sets()), 0, {})


def choose_ngrams(reviews: Sequence[Sequence[Hashes]], slots: int) -> Hashes:
    """Choose the n-grams of the table; returns their hashes in the order of their slots.

    An n-gram needs `MIN_REVIEWS` of its kind. Of n-grams that share a slot, the one in the most reviews is kept; of
    equally frequent ones the one with the largest hash. Slot 0 stays empty.
    """
    hashes, counts = _frequent_ngrams(reviews)
    order = np.lexsort((hashes, counts, _slot_of(hashes, slots)))  # by slot, then count, then hash
    ordered = hashes[order]
    slot = _slot_of(ordered, slots)
    next_slot = np.append(slot[1:], np.uint32(slots))[: len(slot)]
    slot_hashes: Hashes = ordered[(slot != next_slot) & (slot != 0)]
    if not len(slot_hashes):
        raise DataError("No n-gram occurs in enough training reviews. Collect more reviews.")
    return slot_hashes


def _frequent_ngrams(reviews: Sequence[Sequence[Hashes]]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return the hashes of the n-grams that occur in enough reviews, and the number of reviews of each."""
    hashes, counts = [], []
    for kind, name in enumerate(NGRAM_KINDS):
        found, count = np.unique(np.concatenate([review[kind] for review in reviews]), return_counts=True)
        hashes.append(found[count >= MIN_REVIEWS[name]])
        counts.append(count[count >= MIN_REVIEWS[name]])
    return np.concatenate(hashes), np.concatenate(counts)


def _slot_of(hashes: Hashes, slots: int) -> Hashes:
    """Return the slot of each hashed n-gram in a table of `slots` slots, a power of two."""
    return hashes & np.uint32(slots - 1)


def _matrix(reviews: Sequence[Sequence[Hashes]], slot_hashes: Hashes, slots: int) -> csr_matrix:
    """Return a matrix (reviews, n-grams) with 1 where the app would find the n-gram of the review in the table."""
    column_of = np.full(slots, -1, dtype=np.int32)
    column_of[_slot_of(slot_hashes, slots)] = np.arange(len(slot_hashes), dtype=np.int32)
    lengths = [sum(map(len, kinds)) for kinds in reviews]
    hashes = np.concatenate([kind for kinds in reviews for kind in kinds])
    row = np.repeat(np.arange(len(reviews), dtype=np.int32), lengths)
    column = column_of[_slot_of(hashes, slots)]
    known = (column >= 0) & (slot_hashes[column] >> 24 == hashes >> 24)  # the slot is used, and its check byte agrees
    ones = np.ones(int(known.sum()), dtype=np.float32)
    matrix = csr_matrix((ones, (row[known], column[known])), shape=(len(reviews), len(slot_hashes)))
    matrix.data[:] = 1  # two n-grams of a review that are mistaken for the same one were added up
    return matrix


def _fit(matrix: _TrainingMatrix, left_out: LeftOut) -> tuple[Codes, Codes]:
    """Learn both weights of every n-gram from the tenths that are not left out; returns their codes."""
    from sklearn.exceptions import ConvergenceWarning  # slow to import, and only needed here
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    kept = ~np.isin(matrix.tenths, list(left_out))
    labels = matrix.labels[kept]
    variants = [variant[kept] for variant in matrix.variants]
    scale = _log_count_ratio(variants[0], labels, SCALE_SMOOTHING)
    rows = vstack([_scaled(variant, scale) for variant in variants], format="csr")
    weights = np.repeat(np.array([1.0, *[EXCERPT_WEIGHT] * EXCERPTS_PER_REVIEW], dtype=np.float32), len(labels))
    regression = LogisticRegression(C=1 / (RIDGE * float(weights.sum())), max_iter=MAX_STEPS)
    with threadpool_limits(1), warnings.catch_warnings():  # one thread adds up in the same order on every machine
        warnings.simplefilter("ignore", ConvergenceWarning)  # after MAX_STEPS the weights are good enough
        regression.fit(rows, np.tile(labels, len(variants)), weights)
    learned = regression.coef_[0] * scale
    log_count_ratio = _log_count_ratio(variants[0], labels, RATIO_SMOOTHING)
    return _codes(learned, LEARNED_WEIGHT_UNITS), _codes(log_count_ratio, LOG_COUNT_RATIO_UNITS)


def _log_count_ratio(rows: csr_matrix, labels: npt.NDArray[np.int64], smoothing: float) -> npt.NDArray[np.float64]:
    """Return the log of each n-gram's share among the n-grams of positive reviews over that of negative reviews."""
    positive, negative = (np.asarray(rows[labels == label].sum(0)).ravel() + smoothing for label in (1, 0))
    ratio: npt.NDArray[np.float64] = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


def _scaled(rows: csr_matrix, scale: npt.NDArray[np.float64]) -> csr_matrix:
    """Scale every column, and divide every row by the square root of its number of n-grams."""
    lengths = np.maximum(np.diff(rows.indptr), 1)
    scaled = csr_matrix((scale[rows.indices].astype(np.float32), rows.indices, rows.indptr), shape=rows.shape)
    return csr_matrix(diags_array(1 / np.sqrt(lengths).astype(np.float32)) @ scaled)


def _codes(weights: npt.NDArray[np.float64], units: int) -> Codes:
    """Return the codes nearest to weights of `units` units per 1.0: code `c` stands for `c * |c|` units."""
    sizes = np.minimum(np.round(np.sqrt(np.abs(weights) * units)), LARGEST_CODE)
    codes: Codes = (np.sign(weights) * sizes).astype(np.int8)
    return codes


def _table(slot_hashes: Hashes, learned: Codes, log_count_ratio: Codes, slots: int) -> NgramTable:
    """Put codes into a table, each in the slot of its n-gram."""
    slot = _slot_of(slot_hashes, slots)
    parts = np.zeros((3, slots), dtype=np.uint8)
    parts[:, slot] = slot_hashes >> 24, learned.view(np.uint8), log_count_ratio.view(np.uint8)
    return NgramTable(*(part.tobytes() for part in parts))


def _strongest(slot_hashes: Hashes, learned: Codes) -> dict[int, float]:
    """Return the lowest and the highest learned weights: hash -> weight."""
    order = np.argsort(learned, kind="stable")
    return {int(slot_hashes[i]): _weight(int(learned[i])) for i in (*order[:STRONGEST], *order[-STRONGEST:])}


def _weight(code: int) -> float:
    """Return the learned weight of a code."""
    return code * abs(code) / LEARNED_WEIGHT_UNITS
