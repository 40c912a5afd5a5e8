"""The choice of n-grams on Spark: texts per n-gram, added up by hash and kind, pruned, and reduced to one per slot.

The slots are divided into ranges, and all n-grams of a range meet in one task, so that no machine has the counts of all
n-grams. The driver gets those that are chosen.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chalicelib.ngrams import NGRAM_KINDS
from training.data.reviews import DataError
from training.features.hashed_texts import COUNTED, HashedTexts
from training.features.ngram_weights import MIN_TEXTS, NO_FREQUENT_NGRAM, Hashes, one_per_slot, slot_of

if TYPE_CHECKING:
    from pyspark import RDD

_KIND_SHIFT = np.uint64(32)  # above the hash in the key of an n-gram
_RANGES_PER_PROCESSOR = 2

Counts = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]  # sorted keys (kind and hash), and the texts of each


def choose_ngrams(hashed: "RDD[HashedTexts]", slots: int) -> Hashes:
    """Choose the n-grams of the table as `training.features.ngram_weights.choose_ngrams` does."""
    ranges = min(_RANGES_PER_PROCESSOR * hashed.context.defaultParallelism, slots)
    counted = hashed.mapPartitions(lambda parts: _by_range(parts, slots, ranges)).reduceByKey(_merge, ranges)
    chosen = counted.mapValues(lambda counts: one_per_slot(*_frequent(counts), slots)).collect()
    slot_hashes: Hashes = np.concatenate([hashes for _, hashes in sorted(chosen, key=lambda item: item[0])])
    if not len(slot_hashes):
        raise DataError(NO_FREQUENT_NGRAM)
    return slot_hashes


def _by_range(parts: Iterable[HashedTexts], slots: int, ranges: int) -> Iterator[tuple[int, Counts]]:
    """Yield the counts of a partition's n-grams by range of slots."""
    total: Counts = (np.zeros(0, np.uint64), np.zeros(0, np.int64))
    for texts in parts:
        total = _merge(total, _count(texts))
    place = slot_of(total[0].astype(np.uint32), slots).astype(np.int64) * ranges // slots
    for number in range(ranges):
        yield number, (total[0][place == number], total[1][place == number])


def _count(texts: HashedTexts) -> Counts:
    """Count the texts that contain each n-gram, among reviews and sentences."""
    counted = np.repeat(texts.of_kinds(COUNTED), texts.lengths)
    keys = (texts.kinds[counted].astype(np.uint64) << _KIND_SHIFT) | texts.hashes[counted]
    found, counts = np.unique(keys, return_counts=True)
    return found, counts.astype(np.int64)


def _merge(first: Counts, second: Counts) -> Counts:
    """Add up counts."""
    keys, index = np.unique(np.concatenate([first[0], second[0]]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, index, np.concatenate([first[1], second[1]]))
    return keys, counts


def _frequent(counts: Counts) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return the hashes of the n-grams that occur in enough texts, and the number of each."""
    keys, texts = counts
    least = np.array([MIN_TEXTS[name] for name in NGRAM_KINDS])
    enough = texts >= least[(keys >> _KIND_SHIFT).astype(np.int64)]
    return keys[enough].astype(np.uint32), texts[enough]
