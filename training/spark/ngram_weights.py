"""N-gram weights on Spark: the regressions of `training.features.ngram_weights` over a distributed matrix.

Spark ML's logistic regression takes labels of 0 and 1, where the targets here are probabilities, and has no factor for
each row. So the driver takes the steps of L-BFGS as on one machine, and the partitions compute losses and gradients.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.features.hashed_texts import KINDS_OF_TEXT, HashedTexts
from training.features.ngram_matrix import Hashes
from training.features.ngram_weights import SLOTS, LearnedWeights, learn_tables
from training.progress import ProgressCallback, silent
from training.spark.ngram_counts import choose_ngrams
from training.spark.ngram_matrix import REVIEW, SENTENCE, SparkMatrix, StoredBlock, build_block

if TYPE_CHECKING:
    from pyspark import RDD

_PARTITIONS_PER_PROCESSOR = 1  # of blocks: each sends its own sums


@dataclass(frozen=True)
class HashedCorpus:
    """The hashed training texts: labelled ones, and unlabelled reviews if there are any."""

    labelled: "RDD[HashedTexts]"
    unlabelled: "RDD[HashedTexts] | None"

    def counts(self) -> dict[str, int]:
        """Count the texts of each kind that there is."""
        every = self.labelled.union(self.unlabelled) if self.unlabelled is not None else self.labelled
        total: Counter[str] = sum(every.map(count_kinds).collect(), Counter())
        return {kind: total[kind] for kind in KINDS_OF_TEXT if total[kind]}


def count_kinds(texts: HashedTexts) -> "Counter[str]":
    """Count texts by kind."""
    return Counter(KINDS_OF_TEXT[source] for source in texts.sources.tolist())


def learn_weights(corpus: HashedCorpus, tick: ProgressCallback = silent, slots: int = SLOTS) -> LearnedWeights:
    """Learn all tables, as `training.features.ngram_weights.learn_weights` does."""
    from pyspark import StorageLevel

    slot_hashes = choose_ngrams(corpus.labelled, slots)
    build = _BlockBuilder(slot_hashes, slots)
    unlabelled = build(corpus.unlabelled, REVIEW) if corpus.unlabelled is not None else None
    labelled = [build(corpus.labelled, which).persist(StorageLevel.MEMORY_AND_DISK) for which in (REVIEW, SENTENCE)]
    matrices = (
        SparkMatrix(labelled[REVIEW], unlabelled, len(slot_hashes)),
        SparkMatrix(labelled[SENTENCE], None, len(slot_hashes)),
    )
    learned = learn_tables(matrices, slot_hashes, slots, tick)
    for matrix in matrices:
        matrix.unpersist()
    return learned


@dataclass(frozen=True)
class _BlockBuilder:
    """Builds the blocks of sparse rows."""

    slot_hashes: Hashes
    slots: int

    def __call__(self, texts: "RDD[HashedTexts]", which: int) -> "RDD[StoredBlock]":
        """Build the blocks of texts in one of the regressions."""
        hashes, slots = texts.context.broadcast(self.slot_hashes), self.slots
        count = min(texts.getNumPartitions(), _PARTITIONS_PER_PROCESSOR * texts.context.defaultParallelism)
        return texts.coalesce(count).map(lambda part: build_block(part, which, hashes.value, slots))
