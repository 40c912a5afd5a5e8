"""The input of a regression on Spark: the blocks of `training.features.ngram_matrix`, in the workers.

The driver takes the steps of the regressions, as on one machine. Each partition adds up its blocks by the same
functions, and `treeReduce` adds up the partitions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from training.data.splits import LeftOut
from training.features.hashed_texts import HashedTexts, text_weights
from training.features.ngram_matrix import (
    AddBlock,
    Floats,
    Hashes,
    KnownNgrams,
    Rows,
    Singles,
    TextBlock,
    total_weight,
)

if TYPE_CHECKING:
    from pyspark import RDD

REVIEW, SENTENCE = 0, 1  # the regressions, in the order of `TEXT_WEIGHTS`
Sums = tuple[Floats, Floats]


@dataclass(frozen=True)
class StoredBlock:
    """The rows of some texts as a worker keeps them, and the facts of `TextBlock`."""

    starts: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    signs: npt.NDArray[np.int8] | None
    targets: npt.NDArray[np.floating[Any]]
    weights: Floats
    tenths: npt.NDArray[np.int8]

    def load(self) -> TextBlock:
        """Return the block as the regressions read it."""
        return TextBlock(Rows(self.starts, self.columns, self.signs), self.targets, self.weights, self.tenths)


def build_block(texts: HashedTexts, which: int, slot_hashes: Hashes, slots: int) -> StoredBlock:
    """Return the block of texts in one of the regressions; that of sentence weights has signs."""
    known = KnownNgrams.of(texts.hashes, texts.lengths, slot_hashes, slots)
    rows: csr_matrix = known.signs(texts.inside) if which == SENTENCE else known.presence()
    signs = rows.data.astype(np.int8) if which == SENTENCE else None
    facts = (texts.targets[:, None], text_weights(texts.sources, which), texts.tenths)
    return StoredBlock(rows.indptr.astype(np.int32), rows.indices.astype(np.int32), signs, *facts)


@dataclass(frozen=True)
class SparkMatrix:
    """A matrix (texts, n-grams) in blocks, those with a label and those without one."""

    labelled: "RDD[StoredBlock]"
    unlabelled: "RDD[StoredBlock] | None"
    ngrams: int

    @property
    def has_unlabelled(self) -> bool:
        """Whether there are texts without a label."""
        return self.unlabelled is not None

    def labelled_part(self) -> "SparkMatrix":
        """Return the texts with a label."""
        return replace(self, unlabelled=None)

    def with_guesses(self, guess: Callable[[TextBlock], Singles]) -> "SparkMatrix":
        """Label the texts without a label: (texts, regressions) for each block. The labels stay in the workers."""
        from pyspark import StorageLevel

        if self.unlabelled is None:
            return self
        shared = self.unlabelled.context.broadcast(guess)
        guessed = self.unlabelled.map(lambda block: replace(block, targets=shared.value(block.load())))
        return replace(self, unlabelled=guessed.persist(StorageLevel.MEMORY_AND_DISK))

    def total_weights(self, left_out: Sequence[LeftOut]) -> list[float]:
        """Return the sum of the texts' weights without each of these tenths."""
        totals: Floats = self._blocks().map(lambda block: _total_weights(block, left_out)).treeReduce(np.add)
        return [float(total) for total in totals]

    def sum_over_blocks(self, shape: tuple[int, ...], add: AddBlock) -> Sums:
        """Return the sum of what a function adds to an array of this shape for each block, and of what it returns."""
        blocks = self._blocks()
        shared = blocks.context.broadcast(add)
        total: Sums = blocks.mapPartitions(lambda part: _sum_of_part(part, shape, shared.value)).treeReduce(_add)
        shared.destroy()
        return total

    def unpersist(self) -> None:
        """Let the workers forget the blocks with a label; others are forgotten with the matrix that guessed labels."""
        self.labelled.unpersist()

    def _blocks(self) -> "RDD[StoredBlock]":
        """Return all blocks."""
        return self.labelled if self.unlabelled is None else self.labelled.union(self.unlabelled)


def _total_weights(block: StoredBlock, left_out: Sequence[LeftOut]) -> Floats:
    """Return the sum of a block's weights without each of these tenths."""
    return np.array([total_weight(block.weights, block.tenths, tenth) for tenth in left_out])


def _sum_of_part(blocks: Iterable[StoredBlock], shape: tuple[int, ...], add: AddBlock) -> Iterator[Sums]:
    """Yield the sums of a partition, none if it has no blocks."""
    total = np.zeros(shape)
    returned = [add(block.load(), total) for block in blocks]
    if returned:
        yield total, np.array(returned).sum(axis=0)


def _add(first: Sums, second: Sums) -> Sums:
    """Add up the sums of two partitions."""
    return first[0] + second[0], first[1] + second[1]
