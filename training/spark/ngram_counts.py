"""The choice of n-grams on Spark: texts per n-gram, added up by hash and kind, pruned, and reduced to one per slot.

The slots are divided into ranges, and all n-grams of a range meet in one task, so that no machine has the counts of all
n-grams. The driver gets those that are chosen.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chalicelib.ngrams import NGRAM_KINDS
from training.features.hashed_columns import Counts, counted_ngrams
from training.features.hashed_texts import HashedTexts
from training.features.ngram_matrix import Hashes, slot_of
from training.features.ngram_weights import MIN_TEXTS, best_of_slots, check_chosen, in_order_of_columns

if TYPE_CHECKING:
    from pyspark import RDD

_KIND_SHIFT = np.uint64(32)  # above the hash in the key of an n-gram
_RANGES_PER_PROCESSOR = 2

KeyCounts = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]  # sorted keys (kind and hash), and the texts of each


def choose_ngrams(hashed: "RDD[HashedTexts]", slots: int) -> Hashes:
    """Choose the n-grams of the table as on one machine; returns their hashes in the order of the columns."""
    ranges = min(_RANGES_PER_PROCESSOR * hashed.context.defaultParallelism, slots)
    counted = hashed.mapPartitions(lambda parts: _by_range(parts, slots, ranges)).reduceByKey(_merge, ranges)
    found = counted.mapValues(lambda counts: best_of_slots([_frequent(counts)], slots)).collect()
    chosen = best_of_slots([counts for _, counts in found], slots)
    check_chosen(chosen)
    return in_order_of_columns(chosen)


def _by_range(parts: Iterable[HashedTexts], slots: int, ranges: int) -> Iterator[tuple[int, KeyCounts]]:
    """Yield the counts of a partition's n-grams by range of slots."""
    total: KeyCounts = (np.zeros(0, np.uint64), np.zeros(0, np.int64))
    for texts in parts:
        total = _merge(total, _count(texts))
    place = slot_of(total[0].astype(np.uint32), slots).astype(np.int64) * ranges // slots
    for number in range(ranges):
        yield number, (total[0][place == number], total[1][place == number])


def _count(texts: HashedTexts) -> KeyCounts:
    """Count the texts that contain each n-gram, among reviews and sentences."""
    by_kind = [counted_ngrams(texts, kind) for kind in range(len(NGRAM_KINDS))]
    keys = [(np.uint64(kind) << _KIND_SHIFT) | hashes for kind, (hashes, _) in enumerate(by_kind)]
    return np.concatenate(keys), np.concatenate([counts for _, counts in by_kind])


def _merge(first: KeyCounts, second: KeyCounts) -> KeyCounts:
    """Add up counts."""
    keys, index = np.unique(np.concatenate([first[0], second[0]]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, index, np.concatenate([first[1], second[1]]))
    return keys, counts


def _frequent(counts: KeyCounts) -> Counts:
    """Return the hashes of the n-grams that occur in enough texts, and the number of texts with each."""
    keys, texts = counts
    least = np.array([MIN_TEXTS[name] for name in NGRAM_KINDS])
    enough = texts >= least[(keys >> _KIND_SHIFT).astype(np.int64)]
    return keys[enough].astype(np.uint32), texts[enough].astype(np.uint32)
