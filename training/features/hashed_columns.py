"""Hashed texts on disk: one file of columns for each chunk of texts, written by the process that hashed it.

A file has these columns, one after the other: the hash and the code (2 * kind + inside) of every n-gram, the length of
every text in n-grams, and the distinct n-grams of the texts that decide which n-grams are frequent, kind by kind and in
order, with the number of texts that contain each. Since they are in order, those of a range of hashes are together, and
all files can be counted one range (of `RANGES`) after another, whatever their number.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chalicelib.ngrams import NGRAM_KINDS
from training.features.hashed_texts import COUNTED, KINDS_OF_TEXT, TEXT_WEIGHTS, HashedTexts, starts_of_runs

RANGES = 32  # of hashes: each has about the same number
_RANGE_STARTS = np.arange(0, 1 << 32, (1 << 32) // RANGES, dtype=np.uint32)
_HASH_BYTES = 4
_COUNT_BITS, _COUNT_MASK = np.uint64(32), np.uint64((1 << 32) - 1)  # of a key: a hash and its count

Counts = tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]  # hashes, and the number of texts with each


@dataclass(frozen=True)
class Part:
    """A chunk's file, and what is kept of its texts in memory: `HashedTexts` describes the arrays.

    `bounds` has a row for each kind: where the counted n-grams of each range begin, and where the last range ends.
    """

    path: Path
    ngrams: int
    bounds: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float64]
    tenths: npt.NDArray[np.int8]
    sources: npt.NDArray[np.uint8]

    def hashes(self) -> npt.NDArray[np.uint32]:
        """Read the hashes of all n-grams."""
        return _read(self.path, np.uint32, self.ngrams, 0)

    def inside(self) -> npt.NDArray[np.bool_]:
        """Read whether each n-gram is inside a negation."""
        inside: npt.NDArray[np.bool_] = _read(self.path, np.uint8, self.ngrams, self.ngrams * _HASH_BYTES) % 2 == 1
        return inside

    def lengths(self) -> npt.NDArray[np.int32]:
        """Read the number of n-grams of each text."""
        return _read(self.path, np.int32, len(self.sources), self.ngrams * (_HASH_BYTES + 1))

    def counted(self, kind: int, of_range: int) -> Counts:
        """Read the counted n-grams of a kind in a range of hashes."""
        start, end = (int(bound) for bound in self.bounds[kind, of_range : of_range + 2])
        first = self.ngrams * (_HASH_BYTES + 1) + len(self.sources) * 4
        counts = first + int(self.bounds[-1, -1]) * _HASH_BYTES
        hashes = _read(self.path, np.uint32, end - start, first + start * _HASH_BYTES)
        return hashes, _read(self.path, np.uint32, end - start, counts + start * _HASH_BYTES)


def _read(path: Path, dtype: Any, count: int, offset: int) -> npt.NDArray[Any]:
    """Read a part of a file of columns."""
    return np.fromfile(path, dtype, count, offset=offset)


def write_part(folder: Path, texts: HashedTexts) -> Part:
    """Write the columns of a chunk to a new file in a folder."""
    counted = [_counted(texts, kind) for kind in range(len(NGRAM_KINDS))]
    starts = np.cumsum([0, *(len(hashes) for hashes, _ in counted)])
    bounds = [
        start + np.append(np.searchsorted(hashes, _RANGE_STARTS), len(hashes))
        for start, (hashes, _) in zip(starts, counted, strict=False)
    ]
    descriptor, name = tempfile.mkstemp(".columns", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        for column in (
            texts.hashes,
            texts.kinds * np.uint8(2) + texts.inside,
            texts.lengths.astype(np.int32),
            *(hashes for hashes, _ in counted),
            *(counts.astype(np.uint32) for _, counts in counted),
        ):
            column.tofile(file)
    facts = (texts.targets, texts.tenths, texts.sources)
    return Part(Path(name), len(texts.hashes), np.array(bounds, np.int64), *facts)


def _counted(texts: HashedTexts, kind: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the distinct n-grams of a kind in reviews and sentences, in order, and the number of texts with each."""
    chosen = np.repeat(texts.of_kinds(COUNTED), texts.lengths) & (texts.kinds == kind)
    return np.unique(texts.hashes[chosen], return_counts=True)


def frequent_in_range(parts: Iterable[Part], kind: int, of_range: int, least: int) -> Counts:
    """Return the n-grams of a kind, in a range of hashes, that at least this number of texts contain, and how many."""
    read = [part.counted(kind, of_range) for part in parts]
    keys = np.concatenate([hashes.astype(np.uint64) << _COUNT_BITS | counts for hashes, counts in read])
    keys.sort()
    hashes = (keys >> _COUNT_BITS).astype(np.uint32)
    firsts = starts_of_runs(hashes)
    if not len(firsts):
        return hashes, hashes
    counts = np.add.reduceat((keys & _COUNT_MASK).astype(np.uint32), firsts)
    frequent = counts >= least
    return hashes[firsts][frequent], counts[frequent]


class HashedColumns:
    """The parts of all texts in their order; the labelled ones are first.

    Without a folder, one for temporary files is created, and deleted with this object.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp())
        self.parts: list[Part] = []
        if folder is None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def add(self, texts: HashedTexts) -> None:
        """Write a part and append it."""
        self.parts.append(write_part(self.folder, texts))

    def counts(self) -> dict[str, int]:
        """Count the texts of each kind that there is."""
        counts = np.zeros(len(KINDS_OF_TEXT), np.int64)
        for part in self.parts:
            counts += np.bincount(part.sources, minlength=len(KINDS_OF_TEXT))
        return {name: int(count) for name, count in zip(KINDS_OF_TEXT, counts, strict=True) if count}

    def targets(self) -> npt.NDArray[np.float64]:
        """Return the target of every text."""
        return np.concatenate([part.targets for part in self.parts])

    def tenths(self) -> npt.NDArray[np.int8]:
        """Return the tenth of every text."""
        return np.concatenate([part.tenths for part in self.parts])

    def weights(self, which: int) -> npt.NDArray[np.float64]:
        """Return the texts' weights in the regression of review weights (0) or of sentence weights (1)."""
        weight_of: npt.NDArray[np.float64] = np.array([weight[which] for weight in TEXT_WEIGHTS.values()])
        weights: npt.NDArray[np.float64] = weight_of[np.concatenate([part.sources for part in self.parts])]
        return weights


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Create a folder of temporary files inside another one, and delete it at the end.

    The name is fixed, so the remains of a killed process are deleted by the next.
    """
    inner = folder / ".hashed"
    shutil.rmtree(inner, ignore_errors=True)
    inner.mkdir(parents=True)
    try:
        yield inner
    finally:
        shutil.rmtree(inner, ignore_errors=True)
