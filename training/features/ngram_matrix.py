"""The input of a regression: a sparse matrix (texts, n-grams) in blocks on disk, and facts about each text.

A block has the texts of one part of the hashed texts, as the two index arrays of a compressed sparse row matrix. Its
values are 1, or the signs in a third array. Worker processes map the same files, one block at a time, so the matrix
takes the same memory for any number of texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import _sparsetools, csr_matrix

from training.features.hashed_columns import HashedColumns, Part
from training.features.hashed_texts import NO_TENTH
from training.parallel import map_items

Hashes = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """The mapped rows of a block: `values` has the sign of every entry, or ones."""

    starts: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    values: Singles

    def scale(self) -> Singles:
        """Return the factor of each row, one over the square root of its number of n-grams."""
        lengths = np.maximum(np.diff(self.starts), 1)
        scale: Singles = (1 / np.sqrt(lengths)).astype(np.float32)
        return scale


@dataclass(frozen=True)
class Block:
    """One block: its file, its first text, and its numbers of texts and of entries; with `signed`, it has signs."""

    path: Path
    first: int
    texts: int
    entries: int
    signed: bool

    @property
    def span(self) -> slice:
        """The texts of the block."""
        return slice(self.first, self.first + self.texts)

    def rows(self) -> Rows:
        """Map the block's file."""
        if not self.entries:
            return Rows(np.zeros(self.texts + 1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
        starts = _mapped(self.path, np.int32, self.texts + 1, 0)
        columns = _mapped(self.path, np.int32, self.entries, 4 * (self.texts + 1))
        if not self.signed:
            return Rows(starts, columns, _ones(1 << self.entries.bit_length())[: self.entries])
        signs = _mapped(self.path, np.int8, self.entries, 4 * (self.texts + 1 + self.entries))
        return Rows(starts, columns, signs.astype(np.float32))


def _mapped(path: Path, dtype: Any, count: int, offset: int) -> npt.NDArray[Any]:
    """Map a part of a file."""
    return np.asarray(np.memmap(path, dtype, "r", offset, (count,)))


@lru_cache(maxsize=32)  # all powers of two
def _ones(count: int) -> Singles:
    """Return ones, the values of a block without signs, for a power of two of them."""
    return np.ones(count, np.float32)


@dataclass(frozen=True)
class NgramMatrix:
    """A matrix (texts, n-grams) in blocks, and each text's target, weight and tenth.

    The texts from `labelled` on have no label.
    """

    blocks: Sequence[Block]
    ngrams: int
    targets: Floats
    weights: Floats
    tenths: npt.NDArray[np.int8]
    labelled: int

    def labelled_part(self) -> "NgramMatrix":
        """Return the texts with a label."""
        end = self.labelled
        blocks = [block for block in self.blocks if block.first < end]
        facts = (self.targets[:end], self.weights[:end], self.tenths[:end])
        return NgramMatrix(blocks, self.ngrams, *facts, end)


def times(rows: Rows, vectors: Singles) -> Singles:
    """Return the product of rows and vectors: (texts, n-grams) and (n-grams, vectors) give (texts, vectors)."""
    texts, (ngrams, count) = len(rows.starts) - 1, vectors.shape
    product = np.zeros((texts, count), np.float32)
    arrays = (rows.starts, rows.columns, rows.values, vectors.ravel(), product.ravel())
    _sparsetools.csr_matvecs(texts, ngrams, count, *arrays)
    return product


def add_transposed(rows: Rows, vectors: Singles, total: Singles, absolute: bool = False) -> None:
    """Add the product of the transposed rows, or of their absolute values, and vectors of texts to a total.

    The public operators of scipy return a new array instead, which would be as long as all n-grams for each block.
    """
    values = _ones(1 << len(rows.values).bit_length()) if absolute else rows.values
    (ngrams, count), texts = total.shape, len(vectors)
    arrays = (rows.starts, rows.columns, values, np.ascontiguousarray(vectors).ravel(), total.reshape(-1))
    _sparsetools.csc_matvecs(ngrams, texts, count, *arrays)


def build_matrices(
    texts: HashedColumns, slot_hashes: Hashes, slots: int, alone: bool
) -> tuple[NgramMatrix, NgramMatrix]:
    """Return the inputs of the regressions of review weights and of sentence weights; the second has signs.

    Its columns of n-grams inside negations only are -1, and it has labelled texts only.
    """
    shared = (texts.folder, slot_hashes, slots)
    pairs = list(map_items(_build_blocks, texts.parts, shared, alone=alone))
    firsts = np.cumsum([0, *(len(part.sources) for part in texts.parts)]).tolist()
    targets, tenths = texts.targets(), texts.tenths()
    labelled = int((tenths != NO_TENTH).sum())
    presence = [replace(plain, first=first) for (plain, _), first in zip(pairs, firsts, strict=False) if plain.texts]
    signed = [
        replace(signs, first=first) for (_, signs), first in zip(pairs, firsts, strict=False) if signs and signs.texts
    ]
    matrices = [
        NgramMatrix(blocks, len(slot_hashes), targets, texts.weights(which), tenths, labelled)
        for which, blocks in enumerate((presence, signed))
    ]
    return matrices[0], matrices[1].labelled_part()


def _build_blocks(shared: tuple[Path, Hashes, int], part: Part) -> tuple[Block, Block | None]:
    """Write the blocks of a part: without signs, and for labelled texts with signs."""
    folder, slot_hashes, slots = shared
    hashes = part.hashes()
    column_of = np.full(slots, -1, dtype=np.int32)
    column_of[slot_of(slot_hashes, slots)] = np.arange(len(slot_hashes), dtype=np.int32)
    column = column_of[slot_of(hashes, slots)]
    known = (column >= 0) & (slot_hashes[column] >> 24 == hashes >> 24)  # as the app would find it
    row = np.repeat(np.arange(len(part.sources), dtype=np.int32), part.lengths())[known]
    shape = (len(part.sources), len(slot_hashes))
    plain = _distinct(row, column[known], np.ones(len(row), np.float32), shape)
    block = _write_block(folder / f"{part.path.stem}.rows", plain, signed=False)
    if (part.tenths == NO_TENTH).any():
        return block, None
    signs = np.where(part.inside()[known], np.float32(-1), np.float32(1))
    signed = _distinct(row, column[known], signs, shape)
    return block, _write_block(folder / f"{part.path.stem}.signed", signed, signed=True)


def _distinct(
    row: npt.NDArray[np.int32], column: npt.NDArray[np.int32], values: Singles, shape: tuple[int, int]
) -> csr_matrix:
    """Return the matrix of the signs of summed values: 1 outside negations only, -1 inside only, nothing for both."""
    matrix = csr_matrix((values, (row, column)), shape=shape)
    matrix.data[:] = np.sign(matrix.data)
    matrix.eliminate_zeros()
    return matrix


def _write_block(path: Path, matrix: csr_matrix, signed: bool) -> Block:
    """Write the arrays of a matrix."""
    with path.open("wb") as file:
        matrix.indptr.astype(np.int32).tofile(file)
        matrix.indices.astype(np.int32).tofile(file)
        if signed:
            matrix.data.astype(np.int8).tofile(file)
    return Block(path, 0, matrix.shape[0], matrix.nnz, signed)


def slot_of(hashes: Hashes, slots: int) -> Hashes:
    """Return the slot of each hashed n-gram in a table of `slots` slots, a power of two."""
    return hashes & np.uint32(slots - 1)
