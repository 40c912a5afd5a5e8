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

import numpy as np
import numpy.typing as npt

from chalicelib.ngram_features import RATIO_UNITS, WEIGHT_UNITS, NgramTable
from chalicelib.ngrams import NGRAM_KINDS
from training.data.reviews import DataError
from training.data.splits import TENTHS, LeftOut
from training.features.hashed_columns import RANGES, Counts, HashedColumns, Part, frequent_in_range
from training.features.ngram_matrix import NgramMatrix, add_transposed, build_matrices, slot_of, times
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
_NO_EARLY_STOP = {"ftol": 1e-12, "gtol": 1e-9}  # the steps are the limit
_LARGEST_LOG_ODDS = 20.0
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


def learn_weights(texts: HashedColumns, tick: ProgressCallback = silent, slots: int = SLOTS) -> LearnedWeights:
    """Learn all tables; raises `DataError` if no n-gram occurs in enough texts.

    Unlabelled reviews, if there are any, are the last texts.
    """
    few = sum(len(part.sources) for part in texts.parts) < _FEW_TEXTS
    slot_hashes = choose_ngrams(texts, slots, few)
    matrices = build_matrices(texts, slot_hashes, slots, few)
    codes = list(map_items(_fit, left_out_sets(), matrices, tick, alone=few))
    tables = {
        left_out: _table(slot_hashes, parts, slots) for left_out, parts in zip(left_out_sets(), codes, strict=True)
    }
    return LearnedWeights(tables, len(slot_hashes), _strongest(slot_hashes, codes[0][0]))


def left_out_sets() -> list[LeftOut]:
    """Return the tenth left out for each table: first None, for the table that is released."""
    return [None, *range(TENTHS)]


def no_weights() -> LearnedWeights:
    """Return the result for rows without n-gram features."""
    return LearnedWeights(dict.fromkeys(left_out_sets()), 0, {})


def choose_ngrams(texts: HashedColumns, slots: int, alone: bool = True) -> Hashes:
    """Choose the n-grams of the table; returns their hashes in the order of their slots.

    An n-gram needs `MIN_TEXTS` of its kind. Of n-grams that share a slot, the one in the most texts is kept; of equally
    frequent ones the one with the largest hash. Slot 0 stays empty. With `alone`, all is counted in this process.
    """
    best: Counts = (np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    for found in map_items(_best_in_range, range(RANGES), (texts.parts, slots), alone=alone):
        best = _best_of_slots([best, found], slots)
    if not len(best[0]):
        raise DataError("No n-gram occurs in enough training reviews. Collect more reviews.")
    return best[0]


def _best_in_range(shared: tuple[Sequence[Part], int], of_range: int) -> Counts:
    """Choose among the n-grams in a range of hashes."""
    parts, slots = shared
    found = [frequent_in_range(parts, kind, of_range, MIN_TEXTS[name]) for kind, name in enumerate(NGRAM_KINDS)]
    return _best_of_slots(found, slots)


def _best_of_slots(found: Sequence[Counts], slots: int) -> Counts:
    """Return the n-gram of each slot but 0, with the number of texts that contain it, in the order of the slots."""
    hashes, counts = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    order = np.lexsort((hashes, counts, slot_of(hashes, slots)))  # by slot, then count, then hash
    ordered = hashes[order]
    slot = slot_of(ordered, slots)
    next_slot = np.append(slot[1:], np.uint32(slots))[: len(slot)]
    chosen = (slot != next_slot) & (slot != 0)
    return ordered[chosen], counts[order][chosen]


def _fit(matrices: tuple[NgramMatrix, NgramMatrix], left_out: LeftOut) -> tuple[Codes, Codes, Codes]:
    """Learn the weights and the log-count ratio of every n-gram without a tenth; returns their codes."""
    from threadpoolctl import threadpool_limits

    ratios = _log_count_ratio(matrices[0].labelled_part(), left_out, RATIO_SMOOTHING)
    with threadpool_limits(1):  # one thread adds up in the same order on every machine
        review_weights = _review_weights(matrices[0], left_out)
        sentence_weights = _sentence_weights(matrices[1], left_out)
    return _codes(review_weights), _codes(sentence_weights), _codes(ratios, RATIO_UNITS)


def _sentence_weights(matrix: NgramMatrix, left_out: LeftOut) -> Floats:
    """Learn the sentence weights."""
    return _Regression(matrix, left_out).fit(matrix, STEPS)


def _review_weights(matrix: NgramMatrix, left_out: LeftOut) -> Floats:
    """Learn the review weights; a first fit labels the unlabelled reviews for a second."""
    labelled = matrix.labelled_part()
    regression = _Regression(labelled, left_out)
    weights = regression.fit(labelled, STEPS)
    if labelled.labelled == len(matrix.targets):
        return weights
    log_odds = regression.log_odds(matrix)[matrix.labelled :] * SHARPENING
    targets = matrix.targets.copy()
    targets[matrix.labelled :] = _probability(np.clip(log_odds, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS))
    return regression.fit(matrix.with_targets(targets), SELF_TRAINING_STEPS)


class _Regression:
    """A logistic regression over n-grams scaled by their log-count ratios, without the texts of a tenth.

    Targets are probabilities. `fit` starts from the solution of an earlier `fit`.
    """

    def __init__(self, matrix: NgramMatrix, left_out: LeftOut) -> None:
        self.left_out = left_out
        self.ratio = _log_count_ratio(matrix, left_out, SCALE_SMOOTHING)
        self.solution: Floats = np.zeros(matrix.ngrams + 1)  # scaled weights, and the intercept

    def log_odds(self, matrix: NgramMatrix) -> Floats:
        """Return the log-odds of each text."""
        weights = (self.ratio * self.solution[:-1]).astype(np.float32)
        log_odds: Floats = np.zeros(len(matrix.targets))
        for span, rows in matrix.mapped():
            log_odds[span] = times(rows, weights) * rows.scale()
        log_odds += self.solution[-1]
        return log_odds

    def fit(self, matrix: NgramMatrix, steps: int) -> Floats:
        """Take at most `steps` steps of L-BFGS; returns the weight of each n-gram."""
        from scipy.optimize import minimize

        share = matrix.weights_without(self.left_out)
        share = share / share.sum()
        result = minimize(
            lambda solution: self._loss(matrix, share, solution),
            self.solution,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": steps, **_NO_EARLY_STOP},
        )
        self.solution = np.asarray(result.x)
        weights: Floats = self.solution[:-1] * self.ratio
        return weights

    def _loss(self, matrix: NgramMatrix, share: Floats, solution: Floats) -> tuple[float, Floats]:
        """Return the mean loss at a solution and its gradient, in one pass over the matrix."""
        weights, intercept = (self.ratio * solution[:-1]).astype(np.float32), solution[-1]
        losses, errors = np.empty_like(share), np.empty_like(share)
        gradient = np.zeros(matrix.ngrams, np.float32)
        for span, rows in matrix.mapped():
            scale, targets = rows.scale(), matrix.targets[span]
            log_odds = (times(rows, weights) * scale).astype(np.float64) + intercept
            losses[span] = np.logaddexp(0, log_odds) - targets * log_odds
            errors[span] = share[span] * (_probability(log_odds) - targets)
            add_transposed(rows, errors[span].astype(np.float32) * scale, gradient)
        penalty = RIDGE * solution[:-1]
        value = share @ losses + penalty @ solution[:-1] / 2
        return float(value), np.append(gradient.astype(np.float64) * self.ratio + penalty, errors.sum())


def _probability(log_odds: Floats) -> Floats:
    """Return the probability of log-odds."""
    probability: Floats = 1 / (1 + np.exp(-np.maximum(log_odds, -500)))
    return probability


def _log_count_ratio(matrix: NgramMatrix, left_out: LeftOut, smoothing: float) -> Floats:
    """Return the log of each n-gram's share among the n-grams of positive texts over that of negative texts.

    An n-gram inside a negation, which is -1 in the matrix, counts for the other label.
    """
    weights = matrix.weights_without(left_out)
    signed = (weights * (2 * matrix.targets - 1)).astype(np.float32)
    unsigned = weights.astype(np.float32)
    difference, total = np.zeros(matrix.ngrams, np.float32), np.zeros(matrix.ngrams, np.float32)
    for span, rows in matrix.mapped():
        add_transposed(rows, signed[span], difference)  # positive minus negative
        add_transposed(rows, unsigned[span], total, absolute=True)
    positive, negative = ((total + sign * difference).astype(np.float64) / 2 + smoothing for sign in (1, -1))
    ratio: Floats = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


def _codes(weights: Floats, units: int = WEIGHT_UNITS) -> Codes:
    """Return the codes nearest to weights of `units` units per 1.0: code `c` stands for `c * |c|` units."""
    sizes = np.minimum(np.round(np.sqrt(np.abs(weights) * units)), LARGEST_CODE)
    codes: Codes = (np.sign(weights) * sizes).astype(np.int8)
    return codes


def _table(slot_hashes: Hashes, codes: Sequence[Codes], slots: int) -> NgramTable:
    """Put the codes of all n-grams into a table, each in the slot of its n-gram."""
    tables = np.zeros((1 + len(codes), slots), dtype=np.uint8)
    tables[:, slot_of(slot_hashes, slots)] = slot_hashes >> 24, *(part.view(np.uint8) for part in codes)
    return NgramTable(*(table.tobytes() for table in tables))


def _strongest(slot_hashes: Hashes, codes: Codes) -> dict[int, float]:
    """Return the lowest and the highest weights: hash -> weight."""
    order = np.argsort(codes, kind="stable")
    return {int(slot_hashes[i]): _weight(int(codes[i])) for i in (*order[:STRONGEST], *order[-STRONGEST:])}


def _weight(code: int) -> float:
    """Return the weight of a code."""
    return code * abs(code) / WEIGHT_UNITS
