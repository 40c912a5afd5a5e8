"""Logistic regressions over n-grams, one for each tenth that is left out, which take their steps side by side.

Each is independent of the others. But they read the same texts, so an evaluation passes over the texts once for all of
them, a row of weights for each n-gram, which takes half the time of a pass for each.

What is added over texts is rounded to whole numbers of `UNIT` first. Such sums are exact in double precision, so they
are the same in any order: on one machine, in the partitions of Spark, and on every kind of processor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from training.data.splits import LeftOut
from training.features import lbfgs
from training.features.ngram_matrix import (
    UNIT,
    AddBlock,
    Floats,
    Rows,
    Singles,
    TextBlock,
    add_transposed,
    in_units,
    times,
)

RIDGE = 1e-6  # the penalty on squared weights, relative to the mean loss of a text
_LANES = 4  # numbers that the processor adds at once: the width of all arrays is a multiple of it


class Matrix(Protocol):
    """The input of regressions, in files of this machine or in the workers of Spark."""

    @property
    def ngrams(self) -> int:
        """The number of columns."""

    @property
    def has_unlabelled(self) -> bool:
        """Whether there are texts without a label."""

    def labelled_part(self) -> "Matrix":
        """Return the texts with a label."""

    def with_guesses(self, guess: Callable[[TextBlock], Singles]) -> "Matrix":
        """Label the texts without a label: (texts, regressions) for each block."""

    def total_weights(self, left_out: Sequence[LeftOut]) -> list[float]:
        """Return the sum of the texts' weights without each of these tenths."""

    def sum_over_blocks(self, shape: tuple[int, ...], add: AddBlock) -> tuple[Floats, Floats]:
        """Return the sum of what a function adds to an array of this shape for each block, and of what it returns."""


class NgramCounts:
    """The summed weights of the positive and of the negative texts that contain each n-gram: (n-grams, regressions).

    An n-gram inside a negation, which is -1 in the matrix, counts for the other label.
    """

    def __init__(self, matrix: Matrix, left_out: Sequence[LeftOut]) -> None:
        add = _AddCounts(left_out)
        sums, _ = matrix.sum_over_blocks((2, matrix.ngrams, padded_width(left_out)), add)
        self._difference, self._total = sums[:, :, : len(left_out)] * UNIT

    def log_ratios(self, smoothing: float) -> list[Floats]:
        """Return, for each regression, the log of each n-gram's share in positive texts over that in negative ones."""
        return [
            _log_ratio(total, difference, smoothing)
            for total, difference in zip(self._total.T, self._difference.T, strict=True)
        ]


def _log_ratio(total: Floats, difference: Floats, smoothing: float) -> Floats:
    """Return the log-count ratio of each n-gram."""
    positive, negative = ((total + sign * difference) / 2 + smoothing for sign in (1, -1))
    ratio: Floats = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


@dataclass(frozen=True)
class _AddCounts:
    """Adds a block's weights of positive minus negative texts, and of both, in units."""

    left_out: Sequence[LeftOut]

    def __call__(self, block: TextBlock, totals: Floats) -> Floats:
        """Add a block to the totals."""
        weights = _weights_without(block, self.left_out)
        add_transposed(block.rows, in_units(weights * (2 * block.targets - 1)), totals[0])
        add_transposed(block.rows, in_units(weights), totals[1], absolute=True)
        return np.zeros(0)


def padded_width(regressions: Sequence[object]) -> int:
    """Return the width of arrays with a column for each regression, a multiple of what the processor adds at once."""
    return len(regressions) + -len(regressions) % _LANES


def _weights_without(block: TextBlock, left_out: Sequence[LeftOut]) -> Floats:
    """Return the weights of a block's texts, 0 in the tenth that is left out: (texts, regressions)."""
    padding = [-2] * (padded_width(left_out) - len(left_out))
    left = np.array([-2 if tenth is None else tenth for tenth in left_out] + padding, np.int8)
    weights: Floats = block.weights[:, None] * (block.tenths[:, None] != left)
    return weights


class Regressions:
    """Logistic regressions whose columns are scaled by their log-count ratios, each without the texts of a tenth.

    `fit` starts from the solutions of an earlier `fit`.
    """

    def __init__(self, left_out: Sequence[LeftOut], ratios: Sequence[Floats]) -> None:
        self.left_out = left_out
        self.ratios = [ratio.astype(np.float32) for ratio in ratios]
        self.solutions = [np.zeros(len(ratio) + 1, np.float32) for ratio in ratios]  # and the intercept

    def weights(self) -> list[Floats]:
        """Return the weights of the n-grams in each regression."""
        return [
            solution[:-1].astype(np.float64) * ratio
            for solution, ratio in zip(self.solutions, self.ratios, strict=True)
        ]

    def guess(self, sharpening: float, largest: float) -> "Guess":
        """Return the function that labels texts, with log-odds times a factor and within limits."""
        return Guess(self._points(dict(enumerate(self.solutions))), sharpening, largest)

    def fit(self, matrix: Matrix, steps: int, tick: Callable[[], None]) -> None:
        """Take at most `steps` steps of L-BFGS."""
        scales = [UNIT / weight for weight in matrix.total_weights(self.left_out)]
        searches = [lbfgs.minimize(solution, steps) for solution in self.solutions]
        points = {number: next(search) for number, search in enumerate(searches)}
        while points:
            tick()
            found = self._evaluate(matrix, points, scales)
            for number, value_and_gradient in found.items():
                try:
                    points[number] = searches[number].send(value_and_gradient)
                except StopIteration as end:
                    self.solutions[number] = end.value
                    del points[number]

    def _points(self, points: Mapping[int, lbfgs.Vector]) -> "Points":
        """Return the weights and the intercepts of some regressions at these points, in this order."""
        width = padded_width(list(points))
        weights, intercepts = np.zeros((len(self.ratios[0]), width), np.float32), np.zeros(width, np.float32)
        for place, (number, point) in enumerate(points.items()):
            weights[:, place] = point[:-1] * self.ratios[number]
            intercepts[place] = point[-1]
        return Points(weights, intercepts)

    def _evaluate(
        self, matrix: Matrix, points: dict[int, lbfgs.Vector], scales: Sequence[float]
    ) -> dict[int, tuple[float, lbfgs.Vector]]:
        """Return the mean loss and its gradient at the points of some regressions; sums are scaled to means."""
        add = AddGradients(self._points(points), [self.left_out[number] for number in points], list(points))
        gradients, (losses, errors) = matrix.sum_over_blocks(add.points.weights.shape, add)
        found = {}
        for place, (number, point) in enumerate(points.items()):
            scale, weights = scales[number], point[:-1]
            slopes = (gradients[:, place] * scale).astype(np.float32) * self.ratios[number]
            gradient = np.append(slopes + np.float32(RIDGE) * weights, np.float32(errors[place] * scale))
            found[number] = float(losses[place] * scale) + RIDGE / 2 * lbfgs.dot(weights, weights), gradient
        return found


@dataclass(frozen=True)
class Points:
    """The weights of n-grams (n-grams, regressions) and the intercepts of some regressions."""

    weights: Singles
    intercepts: Singles

    def log_odds(self, rows: Rows) -> Singles:
        """Return the log-odds of texts: (texts, regressions)."""
        log_odds: Singles = times(rows, self.weights) * rows.scale()[:, None] + self.intercepts
        return log_odds


@dataclass(frozen=True)
class Guess:
    """The labels that regressions give to texts."""

    points: Points
    sharpening: float
    largest: float

    def __call__(self, block: TextBlock) -> Singles:
        """Return the probability of positive of each text: (texts, regressions)."""
        log_odds = self.points.log_odds(block.rows) * np.float32(self.sharpening)
        return probability(np.clip(log_odds, -self.largest, self.largest))


@dataclass(frozen=True)
class AddGradients:
    """Adds a block's gradient by n-gram; returns its losses and its gradients by intercept, both (regressions,).

    All are sums, in units. `numbers` are the regressions' columns among the labels that all have given to a text.
    """

    points: Points
    left_out: Sequence[LeftOut]
    numbers: Sequence[int]

    def __call__(self, block: TextBlock, gradient: Floats) -> Floats:
        """Add a block to the gradient."""
        weights = _weights_without(block, self.left_out)
        loss, error = _loss_and_error(self.points.log_odds(block.rows), self._targets(block))
        error *= weights
        sums: Floats = np.array([in_units(loss * weights).sum(axis=0), in_units(error).sum(axis=0)])
        error *= block.rows.scale()[:, None]
        add_transposed(block.rows, in_units(error), gradient)
        return sums

    def _targets(self, block: TextBlock) -> npt.NDArray[np.floating[Any]]:
        """Return the targets of a block's texts: one column, or (texts, regressions) with padding."""
        if block.targets.shape[1] == 1:
            return block.targets
        padding = [0] * (len(self.points.intercepts) - len(self.numbers))
        return block.targets[:, [*self.numbers, *padding]]


def _loss_and_error(log_odds: Singles, targets: npt.NDArray[np.floating[Any]]) -> tuple[Floats, Floats]:
    """Return the cross-entropy of each text and its derivative."""
    exact = log_odds.astype(np.float64)
    power = np.exp(-np.abs(exact))
    loss: Floats = np.log(1 + power) + np.maximum(exact, 0) - targets * exact
    error: Floats = np.where(exact >= 0, 1, power) / (1 + power) - targets
    return loss, error


def probability(log_odds: Singles) -> Singles:
    """Return the probability of log-odds."""
    result: Singles = (1 / (1 + np.exp(-log_odds.astype(np.float64)))).astype(np.float32)
    return result
