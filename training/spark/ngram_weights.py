"""N-gram weights on Spark: the regressions of `training.features.ngram_weights` over a distributed matrix.

Spark ML's logistic regression takes labels of 0 and 1, where the targets here are probabilities, and has no factor for
each row. So the driver runs the same L-BFGS as on one machine, and the partitions compute the losses and gradients,
which `treeReduce` adds up. All left-out tenths are fitted in lockstep.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chalicelib.ngram_features import RATIO_UNITS
from training.features.hashed_texts import KINDS_OF_TEXT, HashedTexts
from training.features.ngram_weights import (
    RATIO_SMOOTHING,
    RIDGE,
    SCALE_SMOOTHING,
    SELF_TRAINING_STEPS,
    SLOTS,
    STEPS,
    Floats,
    Hashes,
    LearnedWeights,
    codes_of,
    left_out_sets,
    ratio_of_counts,
    strongest_of,
    table_of,
)
from training.progress import ProgressCallback, silent
from training.spark import blocks
from training.spark.blocks import REVIEW, SENTENCE, Block, Points, Sums
from training.spark.lockstep import Evaluated, minimize_together
from training.spark.ngram_counts import choose_ngrams

if TYPE_CHECKING:
    from pyspark import RDD

_BLOCKS_PER_PROCESSOR = 1
_FITS = 3  # of sentence weights, of review weights, and of these again with unlabelled reviews


@dataclass(frozen=True)
class HashedCorpus:
    """The hashed training texts: labelled ones, and unlabelled reviews if there are any."""

    labelled: "RDD[HashedTexts]"
    unlabelled: "RDD[HashedTexts] | None"

    def counts(self) -> dict[str, int]:
        """Count the texts of each kind that there is."""
        every = self.labelled.union(self.unlabelled) if self.unlabelled is not None else self.labelled
        total: Counter[str] = sum(every.map(lambda texts: Counter(texts.counts())).collect(), Counter())
        return {kind: total[kind] for kind in KINDS_OF_TEXT if total[kind]}


def learn_weights(corpus: HashedCorpus, tick: ProgressCallback = silent, slots: int = SLOTS) -> LearnedWeights:
    """Learn all tables, as `training.features.ngram_weights.learn_weights` does."""
    slot_hashes = choose_ngrams(corpus.labelled, slots)
    tick(0, _FITS, f"{len(slot_hashes):,} n-grams")
    with_blocks = _BlockBuilder(slot_hashes, slots)
    sentence = _Regressions(with_blocks.build(corpus.labelled, SENTENCE))
    sentence.fit(STEPS)
    sentence.rows.unpersist()
    tick(1, _FITS, "sentence weights")
    review = _Regressions(with_blocks.build(corpus.labelled, REVIEW))
    review.fit(STEPS)
    tick(2, _FITS, "review weights")
    if corpus.unlabelled is not None:
        review.add_unlabelled(with_blocks.build(corpus.unlabelled, REVIEW))
        review.fit(SELF_TRAINING_STEPS)
    review.rows.unpersist()
    tick(_FITS, _FITS, "")
    ratios = review.ratios(RATIO_SMOOTHING)
    codes = [
        (codes_of(of_review), codes_of(of_sentence), codes_of(ratio, RATIO_UNITS))
        for of_review, of_sentence, ratio in zip(review.weights, sentence.weights, ratios, strict=True)
    ]
    tables = {
        left_out: table_of(slot_hashes, parts, slots) for left_out, parts in zip(left_out_sets(), codes, strict=True)
    }
    return LearnedWeights(tables, len(slot_hashes), strongest_of(slot_hashes, codes[0][0]))


@dataclass(frozen=True)
class _BlockBuilder:
    """Builds the blocks of sparse rows, which stay in the workers' memory or on their disks."""

    slot_hashes: Hashes
    slots: int

    def build(self, texts: "RDD[HashedTexts]", which: int) -> "RDD[Block]":
        """Build the blocks of texts in one of the regressions."""
        from pyspark import StorageLevel

        hashes, slots = texts.context.broadcast(self.slot_hashes), self.slots
        count = min(texts.getNumPartitions(), _BLOCKS_PER_PROCESSOR * texts.context.defaultParallelism)
        built = texts.coalesce(count).mapPartitions(lambda part: blocks.build(part, which, hashes.value, slots))
        return built.persist(StorageLevel.MEMORY_AND_DISK)


class _Regressions:
    """A logistic regression for each left-out tenth, all over the same rows.

    The columns are scaled by the log-count ratios of the labelled texts. `fit` starts from the solutions of an earlier
    `fit`.
    """

    def __init__(self, rows: "RDD[Block]") -> None:
        self.rows = rows
        self.left_out = tuple(left_out_sets())
        left_out = self.left_out
        self.counts = _sum(rows, lambda block: blocks.count_ngrams(block, left_out))
        self.totals: Floats = self.counts[2]
        self.scales = self.ratios(SCALE_SMOOTHING)
        self.solutions: list[Floats] = [np.zeros(len(scale) + 1) for scale in self.scales]  # and the intercepts

    @property
    def weights(self) -> list[Floats]:
        """The weight of each n-gram, for each left-out tenth."""
        return [solution[:-1] * scale for solution, scale in zip(self.solutions, self.scales, strict=True)]

    def ratios(self, smoothing: float) -> list[Floats]:
        """Return the log-count ratio of each n-gram in the labelled texts, for each left-out tenth."""
        difference, total, _ = self.counts
        return [ratio_of_counts(difference[:, k], total[:, k], smoothing) for k in range(len(self.left_out))]

    def fit(self, steps: int) -> None:
        """Take at most `steps` steps of L-BFGS."""
        self.solutions = minimize_together(self._evaluate, self.solutions, steps)

    def add_unlabelled(self, unlabelled: "RDD[Block]") -> None:
        """Add unlabelled texts, with the labels that the present solutions give them."""
        from pyspark import StorageLevel

        points = unlabelled.context.broadcast(self._points(range(len(self.left_out)), self.solutions))
        labelled = unlabelled.map(lambda block: blocks.with_own_labels(block, points.value))
        labelled = labelled.persist(StorageLevel.MEMORY_AND_DISK)
        added = labelled.map(lambda block: block.weights.sum()).sum()  # also computes the labels before `points` change
        unlabelled.unpersist()
        self.totals = self.totals + added
        self.rows = self.rows.union(labelled)

    def _points(self, numbers: Sequence[int], solutions: Sequence[Floats]) -> Points:
        """Return solutions as the points of some of the regressions."""
        weights = [self.scales[k] * found[:-1] for k, found in zip(numbers, solutions, strict=True)]
        return Points(
            left_out=tuple(self.left_out[k] for k in numbers),
            places=tuple(numbers),
            weights=np.ascontiguousarray(np.array(weights, dtype=np.float32).T),
            intercepts=np.array([found[-1] for found in solutions]),
            totals=self.totals[list(numbers)],
        )

    def _evaluate(self, numbers: list[int], solutions: list[Floats]) -> list[Evaluated]:
        """Return the loss and the gradient of some of the regressions, in one pass over the rows."""
        points = self.rows.context.broadcast(self._points(numbers, solutions))
        losses, gradients, errors = _sum(self.rows, lambda block: blocks.loss_and_gradient(block, points.value))
        points.destroy()
        return [
            self._with_penalty(k, found, (losses[i], gradients[:, i], errors[i]))
            for i, (k, found) in enumerate(zip(numbers, solutions, strict=True))
        ]

    def _with_penalty(self, number: int, solution: Floats, sums: tuple[Any, Floats, Any]) -> Evaluated:
        """Return a loss and its gradient by the scaled weights, with the penalty on their squares."""
        loss, gradient, error = sums
        penalty = RIDGE * solution[:-1]
        scaled = gradient * self.scales[number] + penalty
        return float(loss + penalty @ solution[:-1] / 2), np.append(scaled, error)


def _sum(rows: "RDD[Block]", function: Callable[[Block], Sums]) -> Sums:
    """Add up a function of all blocks."""
    total: Sums = rows.map(function).treeReduce(blocks.add)
    return total
