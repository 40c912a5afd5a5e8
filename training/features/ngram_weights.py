"""N-gram weights: for each n-gram, from a word to a triple, how strongly it points to positive or negative.

A table has two weights for each n-gram, of logistic regressions over all n-grams that occur, each scaled by its
log-count ratio (NB-SVM: Wang & Manning, ACL 2012):

- the review weight, from reviews, labelled sentences and, with labels that an earlier fit of the same regression gave
  them, unlabelled reviews (self-training);
- the sentence weight, from the same labelled texts with more weight on short ones, and from templates. Here the column
  of an n-gram that is wholly inside a negation is -1 instead of 1.

The third number of a table is the log-count ratio in the reviews.

N-grams are chosen by the number of reviews and sentences that contain them, never by label.

The trees must not see weights that were learned from the labels of their own rows: they would trust them too much.
So a separate table is learned without each tenth of the texts, for the rows of that tenth. With the table of all texts,
which is released, these are 11. The regression that labels the unlabelled reviews has not seen the tenth either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from chalicelib.ngram_features import RATIO_UNITS, WEIGHT_UNITS, NgramTable
from chalicelib.ngrams import NGRAM_KINDS
from training.data.reviews import DataError
from training.data.splits import TENTHS, LeftOut
from training.features.hashed_texts import COUNTED, NO_TENTH, HashedTexts
from training.parallel import map_items
from training.progress import ProgressCallback, silent

SLOTS = 1 << 20
MIN_TEXTS = dict(zip(NGRAM_KINDS, (3, 4, 6, 8, 4), strict=True))  # kind -> texts that must contain an n-gram
SCALE_SMOOTHING = 3.0  # added to the counts behind the scale of a regression's columns
RATIO_SMOOTHING = 1.0  # added to the counts behind the log-count ratios of the table
RIDGE = 1e-6  # the penalty on squared weights, relative to the mean loss of a text
LARGEST_CODE = 127
STEPS = 45  # of the regression's solver
SELF_TRAINING_STEPS = 30  # which start from the solution without unlabelled reviews
SHARPENING = 2.0  # of the log-odds that label an unlabelled review
STRONGEST = 40  # n-grams of each label that reports list
NO_EARLY_STOP = {"ftol": 1e-12, "gtol": 1e-9}  # the steps are the limit
LARGEST_LOG_ODDS = 20.0
NO_FREQUENT_NGRAM = "No n-gram occurs in enough training reviews. Collect more reviews."
_FEW_TEXTS = 10_000  # below this number, starting more processes takes longer than it saves

Hashes = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Tables = Mapping[LeftOut, NgramTable | None]


@dataclass(frozen=True)
class LearnedWeights:
    """The tables by the tenth left out of their training, the number of n-grams, and the strongest weights.

    `strongest` is hash -> review weight in the table of all texts: the lowest and the highest `STRONGEST` weights.
    """

    tables: Tables
    ngrams: int
    strongest: dict[int, float]


@dataclass(frozen=True)
class TrainingMatrix:
    """The input of a regression: a matrix (texts, n-grams), and each text's target, weight and tenth.

    The texts from `labelled` on have no label.
    """

    rows: csr_matrix
    targets: Floats
    weights: Floats
    tenths: npt.NDArray[np.int8]
    labelled: int

    @property
    def scale(self) -> npt.NDArray[np.float32]:
        """Return the factor of each row, one over the square root of its number of n-grams."""
        lengths = np.maximum(np.diff(self.rows.indptr), 1)
        scale: npt.NDArray[np.float32] = (1 / np.sqrt(lengths)).astype(np.float32)
        return scale

    def weights_without(self, left_out: LeftOut) -> Floats:
        """Return the weights of the texts, 0 in the tenth that is left out."""
        return self.weights if left_out is None else self.weights * (self.tenths != left_out)

    def labelled_part(self) -> "TrainingMatrix":
        """Return the texts with a label."""
        end = self.labelled
        return TrainingMatrix(self.rows[:end], self.targets[:end], self.weights[:end], self.tenths[:end], end)


def learn_weights(texts: HashedTexts, tick: ProgressCallback = silent, slots: int = SLOTS) -> LearnedWeights:
    """Learn all tables; raises `DataError` if no n-gram occurs in enough texts.

    Unlabelled reviews, if there are any, are the last texts.
    """
    slot_hashes = choose_ngrams(texts, slots)
    matrices = training_matrices(texts, slot_hashes, slots)
    few = len(texts.lengths) < _FEW_TEXTS
    codes = list(map_items(_fit, left_out_sets(), matrices, tick, alone=few))
    tables = {
        left_out: table_of(slot_hashes, parts, slots) for left_out, parts in zip(left_out_sets(), codes, strict=True)
    }
    return LearnedWeights(tables, len(slot_hashes), strongest_of(slot_hashes, codes[0][0]))


def left_out_sets() -> list[LeftOut]:
    """Return the tenth left out for each table: first None, for the table that is released."""
    return [None, *range(TENTHS)]


def no_weights() -> LearnedWeights:
    """Return the result for rows without n-gram features."""
    return LearnedWeights(dict.fromkeys(left_out_sets()), 0, {})


def choose_ngrams(texts: HashedTexts, slots: int) -> Hashes:
    """Choose the n-grams of the table; returns their hashes in the order of their slots.

    An n-gram needs `MIN_TEXTS` of its kind. Raises `DataError` if none has them.
    """
    slot_hashes = one_per_slot(*_frequent_ngrams(texts), slots)
    if not len(slot_hashes):
        raise DataError(NO_FREQUENT_NGRAM)
    return slot_hashes


def one_per_slot(hashes: Hashes, counts: npt.NDArray[np.int64], slots: int) -> Hashes:
    """Choose one n-gram for each slot; returns their hashes in the order of their slots.

    Of n-grams that share a slot, the one in the most texts is kept; of equally frequent ones the one with the largest
    hash. Slot 0 stays empty.
    """
    order = np.lexsort((hashes, counts, slot_of(hashes, slots)))  # by slot, then count, then hash
    ordered = hashes[order]
    slot = slot_of(ordered, slots)
    next_slot = np.append(slot[1:], np.uint32(slots))[: len(slot)]
    slot_hashes: Hashes = ordered[(slot != next_slot) & (slot != 0)]
    return slot_hashes


def _frequent_ngrams(texts: HashedTexts) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return the hashes of the n-grams that occur in enough reviews and sentences, and the number of each."""
    counted = np.repeat(texts.of_kinds(COUNTED), texts.lengths)
    hashes, counts = [], []
    for kind, name in enumerate(NGRAM_KINDS):
        found, count = np.unique(texts.hashes[counted & (texts.kinds == kind)], return_counts=True)
        hashes.append(found[count >= MIN_TEXTS[name]])
        counts.append(count[count >= MIN_TEXTS[name]])
    return np.concatenate(hashes), np.concatenate(counts)


def slot_of(hashes: Hashes, slots: int) -> Hashes:
    """Return the slot of each hashed n-gram in a table of `slots` slots, a power of two."""
    return hashes & np.uint32(slots - 1)


def training_matrices(texts: HashedTexts, slot_hashes: Hashes, slots: int) -> tuple[TrainingMatrix, TrainingMatrix]:
    """Return the inputs of the two regressions."""
    column_of = np.full(slots, -1, dtype=np.int32)
    column_of[slot_of(slot_hashes, slots)] = np.arange(len(slot_hashes), dtype=np.int32)
    column = column_of[slot_of(texts.hashes, slots)]
    known = (column >= 0) & (slot_hashes[column] >> 24 == texts.hashes >> 24)  # as the app would find it
    row = np.repeat(np.arange(len(texts.lengths), dtype=np.int32), texts.lengths)[known]
    column, inside = column[known], texts.inside[known]
    shape = (len(texts.lengths), len(slot_hashes))
    labelled = int((texts.tenths != NO_TENTH).sum())
    presence = _distinct(row, column, np.ones(len(row), np.float32), shape)
    within = row < labelled
    signs = np.where(inside, np.float32(-1), np.float32(1))[within]
    signed = _distinct(row[within], column[within], signs, (labelled, shape[1]))
    facts = (texts.targets, texts.tenths)
    return (
        TrainingMatrix(presence, facts[0], texts.weights(0), facts[1], labelled),
        TrainingMatrix(signed, *(facts[0][:labelled], texts.weights(1)[:labelled], facts[1][:labelled]), labelled),
    )


def _distinct(
    row: npt.NDArray[np.int32], column: npt.NDArray[np.int32], values: npt.NDArray[np.float32], shape: tuple[int, int]
) -> csr_matrix:
    """Return the matrix of the signs of summed values: 1 outside negations only, -1 inside only, nothing for both."""
    matrix = csr_matrix((values, (row, column)), shape=shape)
    matrix.data[:] = np.sign(matrix.data)
    matrix.eliminate_zeros()
    return matrix


def _fit(matrices: tuple[TrainingMatrix, TrainingMatrix], left_out: LeftOut) -> tuple[Codes, Codes, Codes]:
    """Learn the weights and the log-count ratio of every n-gram without a tenth; returns their codes."""
    from threadpoolctl import threadpool_limits

    labelled = matrices[0].labelled_part()
    ratios = _log_count_ratio(labelled.rows, labelled.targets, labelled.weights_without(left_out), RATIO_SMOOTHING)
    with threadpool_limits(1):  # one thread adds up in the same order on every machine
        review_weights = _review_weights(matrices[0], left_out)
        sentence_weights = _sentence_weights(matrices[1], left_out)
    return codes_of(review_weights), codes_of(sentence_weights), codes_of(ratios, RATIO_UNITS)


def _sentence_weights(matrix: TrainingMatrix, left_out: LeftOut) -> Floats:
    """Learn the sentence weights."""
    return _Regression(matrix, left_out).fit(matrix, STEPS)


def _review_weights(matrix: TrainingMatrix, left_out: LeftOut) -> Floats:
    """Learn the review weights; a first fit labels the unlabelled reviews for a second."""
    labelled = matrix.labelled_part()
    regression = _Regression(labelled, left_out)
    weights = regression.fit(labelled, STEPS)
    if labelled.labelled == len(matrix.targets):
        return weights
    log_odds = regression.log_odds(matrix)[matrix.labelled :] * SHARPENING
    targets = matrix.targets.copy()
    targets[matrix.labelled :] = probability_of(np.clip(log_odds, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS))
    self_labelled = TrainingMatrix(matrix.rows, targets, matrix.weights, matrix.tenths, len(targets))
    return regression.fit(self_labelled, SELF_TRAINING_STEPS)


class _Regression:
    """A logistic regression over n-grams scaled by their log-count ratios, without the texts of a tenth.

    Targets are probabilities. `fit` starts from the solution of an earlier `fit`.
    """

    def __init__(self, matrix: TrainingMatrix, left_out: LeftOut) -> None:
        self.left_out = left_out
        self.ratio = _log_count_ratio(matrix.rows, matrix.targets, matrix.weights_without(left_out), SCALE_SMOOTHING)
        self.solution: Floats = np.zeros(matrix.rows.shape[1] + 1)  # scaled weights, and the intercept

    def log_odds(self, matrix: TrainingMatrix) -> Floats:
        """Return the log-odds of each text."""
        weights = (self.ratio * self.solution[:-1]).astype(np.float32)
        log_odds: Floats = (matrix.rows @ weights * matrix.scale).astype(np.float64) + self.solution[-1]
        return log_odds

    def fit(self, matrix: TrainingMatrix, steps: int) -> Floats:
        """Take at most `steps` steps of L-BFGS; returns the weight of each n-gram."""
        from scipy.optimize import minimize

        share = matrix.weights_without(self.left_out)
        share = share / share.sum()
        columns, scale = matrix.rows.T, matrix.scale  # a view, without a copy

        def loss(solution: Floats) -> tuple[float, Floats]:
            """Return the mean loss and its gradient."""
            self.solution = solution
            log_odds = self.log_odds(matrix)
            error = share * (probability_of(log_odds) - matrix.targets)
            gradient = (columns @ (error.astype(np.float32) * scale)).astype(np.float64) * self.ratio
            penalty = RIDGE * solution[:-1]
            value = share @ (np.logaddexp(0, log_odds) - matrix.targets * log_odds) + penalty @ solution[:-1] / 2
            return float(value), np.append(gradient + penalty, error.sum())

        result = minimize(loss, self.solution, jac=True, method="L-BFGS-B", options={"maxiter": steps, **NO_EARLY_STOP})
        self.solution = np.asarray(result.x)
        weights: Floats = self.solution[:-1] * self.ratio
        return weights


def probability_of(log_odds: Floats) -> Floats:
    """Return the probability of log-odds."""
    probability: Floats = 1 / (1 + np.exp(-np.maximum(log_odds, -500)))
    return probability


def _log_count_ratio(rows: csr_matrix, targets: Floats, weights: Floats, smoothing: float) -> Floats:
    """Return the log of each n-gram's share among the n-grams of positive texts over that of negative texts.

    An n-gram inside a negation, which is -1 in `rows`, counts for the other label. Counts are in double precision: in
    single precision they depend on the order of the texts, and after some steps of the solver so do the weights.
    """
    difference = rows.T @ (weights * (2 * targets - 1))  # positive minus negative
    total = abs(rows).T @ weights
    return ratio_of_counts(difference, total, smoothing)


def ratio_of_counts(difference: npt.NDArray[Any], total: npt.NDArray[Any], smoothing: float) -> Floats:
    """Return each n-gram's log-count ratio from its weighted counts: positive minus negative, and both together."""
    positive, negative = ((total + sign * difference) / 2 + smoothing for sign in (1, -1))
    ratio: Floats = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


def codes_of(weights: Floats, units: int = WEIGHT_UNITS) -> Codes:
    """Return the codes nearest to weights of `units` units per 1.0: code `c` stands for `c * |c|` units."""
    sizes = np.minimum(np.round(np.sqrt(np.abs(weights) * units)), LARGEST_CODE)
    codes: Codes = (np.sign(weights) * sizes).astype(np.int8)
    return codes


def table_of(slot_hashes: Hashes, codes: Sequence[Codes], slots: int) -> NgramTable:
    """Put the codes of all n-grams into a table, each in the slot of its n-gram."""
    tables = np.zeros((1 + len(codes), slots), dtype=np.uint8)
    tables[:, slot_of(slot_hashes, slots)] = slot_hashes >> 24, *(part.view(np.uint8) for part in codes)
    return NgramTable(*(table.tobytes() for table in tables))


def strongest_of(slot_hashes: Hashes, codes: Codes) -> dict[int, float]:
    """Return the lowest and the highest weights: hash -> weight."""
    order = np.argsort(codes, kind="stable")
    return {int(slot_hashes[i]): _weight(int(codes[i])) for i in (*order[:STRONGEST], *order[-STRONGEST:])}


def _weight(code: int) -> float:
    """Return the weight of a code."""
    return code * abs(code) / WEIGHT_UNITS
