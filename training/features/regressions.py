"""Logistic regressions over n-grams, one for each tenth that is left out, which take their steps side by side.

Each is independent of the others. But they read the same texts, so an evaluation passes over the texts once for all of
them, a row of weights for each n-gram, which takes half the time of a pass for each.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from training.data.splits import LeftOut
from training.features import lbfgs
from training.features.ngram_matrix import NgramMatrix, Rows, Singles, add_transposed, times

RIDGE = 1e-6  # the penalty on squared weights, relative to the mean loss of a text
_LANES = 4  # numbers that the processor adds at once: the width of all arrays is a multiple of it
_PARTIAL_SUMS = 2  # threads; a fixed number, so that every machine adds in the same order

Floats = npt.NDArray[np.float64]


class NgramCounts:
    """The summed weights of the positive and of the negative texts that contain each n-gram: (n-grams, regressions).

    An n-gram inside a negation, which is -1 in the matrix, counts for the other label.
    """

    def __init__(self, matrix: NgramMatrix, left_out: Sequence[LeftOut]) -> None:
        width = len(left_out) + -len(left_out) % _LANES

        def add(span: slice, rows: Rows, totals: Singles) -> None:
            weights = _weights_without(matrix, span, left_out, width)
            add_transposed(rows, weights * (2 * matrix.targets[span, None] - 1).astype(np.float32), totals[0])
            add_transposed(rows, weights, totals[1], absolute=True)

        difference, total = _sum_over_blocks(matrix, (2, matrix.ngrams, width), add)
        self._difference, self._total = difference[:, : len(left_out)], total[:, : len(left_out)]

    def log_ratios(self, smoothing: float) -> list[Floats]:
        """Return, for each regression, the log of each n-gram's share in positive texts over that in negative ones."""
        return [
            _log_ratio(total, difference, smoothing)
            for total, difference in zip(self._total.T, self._difference.T, strict=True)
        ]


def _log_ratio(total: Singles, difference: Singles, smoothing: float) -> Floats:
    """Return the log-count ratio of each n-gram."""
    positive, negative = ((total + sign * difference).astype(np.float64) / 2 + smoothing for sign in (1, -1))
    ratio: Floats = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


def _weights_without(matrix: NgramMatrix, span: slice, left_out: Sequence[LeftOut], width: int) -> Singles:
    """Return the weights of some texts in each regression, 0 in the tenth that is left out: (texts, regressions)."""
    left = np.array([-2 if tenth is None else tenth for tenth in left_out] + [-2] * (width - len(left_out)), np.int8)
    weights: Singles = matrix.weights[span, None].astype(np.float32) * (matrix.tenths[span, None] != left)
    return weights


def _sum_over_blocks(
    matrix: NgramMatrix, shape: tuple[int, ...], add: Callable[[slice, Rows, Singles], None]
) -> Singles:
    """Return the sum of what a function adds to an array of this shape for each block."""
    totals = np.zeros((_PARTIAL_SUMS, *shape), np.float32)

    def add_blocks(number: int) -> None:
        for block in matrix.blocks[number::_PARTIAL_SUMS]:
            add(block.span, block.rows(), totals[number])

    with ThreadPoolExecutor(_PARTIAL_SUMS) as pool:
        list(pool.map(add_blocks, range(_PARTIAL_SUMS)))
    totals[0] += totals[1]
    total: Singles = totals[0]
    return total


class Regressions:
    """Logistic regressions whose columns are scaled by their log-count ratios, each without the texts of a tenth.

    `targets` gives the probabilities of positive of a block's texts for every regression. `fit` starts from the
    solutions of an earlier `fit`.
    """

    def __init__(self, left_out: Sequence[LeftOut], ratios: Sequence[Floats]) -> None:
        self.left_out = left_out
        self.width = len(left_out) + -len(left_out) % _LANES
        self.ratios = [ratio.astype(np.float32) for ratio in ratios]
        self.solutions = [np.zeros(len(ratio) + 1, np.float32) for ratio in ratios]  # and the intercept

    def weights(self) -> list[Floats]:
        """Return the weights of the n-grams in each regression."""
        return [
            solution[:-1].astype(np.float64) * ratio
            for solution, ratio in zip(self.solutions, self.ratios, strict=True)
        ]

    def log_odds(self, matrix: NgramMatrix, first: int) -> Singles:
        """Return the log-odds of the texts from `first` on, where a block begins: (texts, regressions)."""
        weights, intercepts = self._arrays(self.solutions)
        result = np.zeros((len(matrix.targets) - first, self.width), np.float32)
        for block in matrix.blocks:
            if block.first >= first:
                rows = block.rows()
                span = slice(block.first - first, block.first - first + block.texts)
                result[span] = times(rows, weights) * rows.scale()[:, None] + intercepts
        return result

    def fit(self, matrix: NgramMatrix, steps: int, tick: Callable[[], None], guesses: Singles | None = None) -> None:
        """Take at most `steps` steps of L-BFGS; `guesses` are the targets of the texts without a label."""
        weights = [matrix.weights.sum() - matrix.weights[matrix.tenths == tenth].sum() for tenth in self._tenths()]
        shares = np.append(1 / np.array(weights), np.zeros(self.width - len(weights))).astype(np.float32)
        searches = [lbfgs.minimize(solution, steps) for solution in self.solutions]
        points = {number: next(search) for number, search in enumerate(searches)}
        while points:
            tick()
            found = self._evaluate(matrix, points, shares, guesses)
            for number, value_and_gradient in found.items():
                try:
                    points[number] = searches[number].send(value_and_gradient)
                except StopIteration as end:
                    self.solutions[number] = end.value
                    del points[number]

    def _tenths(self) -> list[int]:
        """Return the tenths that are left out, with -2 for none."""
        return [-2 if tenth is None else tenth for tenth in self.left_out]

    def _arrays(self, points: Sequence[lbfgs.Vector]) -> tuple[Singles, Singles]:
        """Return the weights (n-grams, regressions) and the intercepts at these points."""
        weights = np.zeros((len(self.ratios[0]), self.width), np.float32)
        intercepts = np.zeros(self.width, np.float32)
        for number, point in enumerate(points):
            weights[:, number] = point[:-1] * self.ratios[number]
            intercepts[number] = point[-1]
        return weights, intercepts

    def _evaluate(
        self, matrix: NgramMatrix, points: dict[int, lbfgs.Vector], shares: Singles, guesses: Singles | None
    ) -> dict[int, tuple[float, lbfgs.Vector]]:
        """Return the mean loss and its gradient at the points of some regressions."""
        weights, intercepts = self._arrays([points.get(n, self.solutions[n]) for n in range(len(self.ratios))])
        losses = np.zeros((len(matrix.blocks), self.width))
        errors = np.zeros((len(matrix.blocks), self.width))
        block_at = {block.first: number for number, block in enumerate(matrix.blocks)}

        def add(span: slice, rows: Rows, gradient: Singles) -> None:
            scale, block = rows.scale()[:, None], block_at[span.start]
            targets = matrix.targets[span, None].astype(np.float32)
            if guesses is not None and span.start >= matrix.labelled:
                targets = guesses[span.start - matrix.labelled : span.stop - matrix.labelled]
            share = _weights_without(matrix, span, self.left_out, self.width) * shares
            log_odds = times(rows, weights) * scale + intercepts
            loss, error = _loss_and_error(log_odds, targets)
            losses[block] = (share * loss).sum(axis=0, dtype=np.float64)
            error *= share
            errors[block] = error.sum(axis=0, dtype=np.float64)
            error *= scale
            add_transposed(rows, error, gradient)

        gradients = _sum_over_blocks(matrix, (matrix.ngrams, self.width), add)
        value, error = losses.sum(axis=0), errors.sum(axis=0)
        found = {}
        for number, point in points.items():
            penalty = np.float32(RIDGE) * point[:-1]
            gradient = np.append(gradients[:, number] * self.ratios[number] + penalty, np.float32(error[number]))
            found[number] = float(value[number]) + float(penalty @ point[:-1]) / 2, gradient.astype(np.float32)
        return found


def _loss_and_error(log_odds: Singles, targets: Singles) -> tuple[Singles, Singles]:
    """Return the cross-entropy of each text and its derivative."""
    power: Singles = np.exp(-np.abs(log_odds))
    loss: Singles = (np.log(1 + power) + np.maximum(log_odds, 0) - targets * log_odds).astype(np.float32, copy=False)
    larger = np.where(log_odds >= 0, np.float32(1), power).astype(np.float32, copy=False)
    error: Singles = larger / (1 + power) - targets
    return loss, error


def probability(log_odds: Singles) -> Singles:
    """Return the probability of log-odds."""
    result: Singles = (1 / (1 + np.exp(-log_odds))).astype(np.float32, copy=False)
    return result
