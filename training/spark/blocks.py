"""Blocks of sparse rows, one for each partition, and the sums over a block that the regressions need.

Every sum is computed for several left-out tenths at once: a weight vector becomes a matrix with a column for each, and
the rows, which are most of the memory, are read once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from training.data.splits import LeftOut
from training.features.hashed_texts import HashedTexts, join
from training.features.ngram_weights import (
    LARGEST_LOG_ODDS,
    SHARPENING,
    Floats,
    Hashes,
    TrainingMatrix,
    probability_of,
    training_matrices,
)

REVIEW, SENTENCE = 0, 1  # the regressions, in the order of `training_matrices`
Sums = tuple[npt.NDArray[Any], ...]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Block:
    """The rows of a partition in one regression.

    `targets` is (texts, 1), or (texts, left-out tenths) if each regression has labelled the texts by itself.
    """

    rows: csr_matrix
    scale: Singles
    targets: Floats
    weights: Floats
    tenths: npt.NDArray[np.int8]

    def weights_without(self, left_out: Sequence[LeftOut]) -> Floats:
        """Return the weights (texts, left-out tenths), 0 in the tenth that is left out."""
        kept = np.array([np.ones(len(self.tenths), bool) if each is None else self.tenths != each for each in left_out])
        weights: Floats = self.weights[:, None] * kept.T
        return weights

    def targets_of(self, places: Sequence[int]) -> Floats:
        """Return the targets of some of the regressions, by their place among all."""
        return self.targets if self.targets.shape[1] == 1 else self.targets[:, list(places)]


@dataclass(frozen=True)
class Points:
    """The points at which losses are evaluated, a column for each of several left-out tenths.

    `places` are their places among all left-out tenths, `weights` (n-grams, points) the unscaled weights of n-grams,
    and `totals` the sum of the weights of all texts.
    """

    left_out: tuple[LeftOut, ...]
    places: tuple[int, ...]
    weights: Singles
    intercepts: Floats
    totals: Floats


def build(texts: Iterable[HashedTexts], which: int, slot_hashes: Hashes, slots: int) -> Iterator[Block]:
    """Yield the block of a partition's texts, none if it has none."""
    parts = list(texts)
    if parts:
        yield _block(training_matrices(join(parts), slot_hashes, slots)[which])


def _block(matrix: TrainingMatrix) -> Block:
    """Return a matrix as a block."""
    return Block(matrix.rows, matrix.scale, matrix.targets[:, None], matrix.weights, matrix.tenths)


def count_ngrams(block: Block, left_out: Sequence[LeftOut]) -> Sums:
    """Return the weighted counts of n-grams (positive minus negative, and both), and the sum of the texts' weights."""
    weights = block.weights_without(left_out)
    signed = weights * (2 * block.targets - 1)
    return block.rows.T @ signed, abs(block.rows).T @ weights, weights.sum(axis=0)


def log_odds(block: Block, points: Points) -> Floats:
    """Return the log-odds (texts, points)."""
    found: Floats = (block.rows @ points.weights * block.scale[:, None]).astype(np.float64) + points.intercepts
    return found


def loss_and_gradient(block: Block, points: Points) -> Sums:
    """Return the block's share of the mean losses, of their gradients by n-gram, and of those by intercept."""
    share = block.weights_without(points.left_out) / points.totals
    targets, found = block.targets_of(points.places), log_odds(block, points)
    error = share * (probability_of(found) - targets)
    gradient = block.rows.T @ (error.astype(np.float32) * block.scale[:, None])
    return (share * (np.logaddexp(0, found) - targets * found)).sum(axis=0), gradient, error.sum(axis=0)


def with_own_labels(block: Block, points: Points) -> Block:
    """Replace the targets of unlabelled texts by what each regression predicts, with sharper log-odds."""
    sharpened = np.clip(log_odds(block, points) * SHARPENING, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    return replace(block, targets=probability_of(sharpened))


def add(first: Sums, second: Sums) -> Sums:
    """Add up sums, in double precision."""
    return tuple(np.add(a, b, dtype=np.float64) for a, b in zip(first, second, strict=True))
