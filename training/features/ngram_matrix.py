"""The input of a regression: a sparse matrix (texts, n-grams) in blocks on disk, and facts about each text.

A block has the texts of one part of the hashed texts, as the two index arrays of a compressed sparse row matrix. Its
values are 1, or the signs in a third array. Worker processes map the same files, one block at a time, so the matrix
takes the same memory for any number of texts.

`training.spark.ngram_matrix` has the same matrix in the workers of Spark.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import _sparsetools, csr_matrix

from training.data.splits import LeftOut
from training.features.hashed_columns import HashedColumns, Part
from training.features.hashed_texts import NO_TENTH
from training.parallel import map_items

UNIT = 2.0**-20  # of sums over texts
_THREADS = 2  # each has sums of its own

Hashes = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """The rows of a block: an entry is its sign, or 1 without `signs`."""

    starts: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    signs: npt.NDArray[np.int8] | None

    def values(self, dtype: str, absolute: bool = False) -> npt.NDArray[Any]:
        """Return the entries, or their absolute values."""
        if absolute or self.signs is None:
            return _ones(1 << len(self.columns).bit_length(), dtype)[: len(self.columns)]
        return self.signs.astype(dtype)

    def scale(self) -> Singles:
        """Return the factor of each row, one over the square root of its number of n-grams."""
        lengths = np.maximum(np.diff(self.starts), 1)
        scale: Singles = (1 / np.sqrt(lengths)).astype(np.float32)
        return scale


@dataclass(frozen=True)
class TextBlock:
    """The rows of a block, and the facts of its texts.

    `targets` has one column, or one for each regression if they have labelled the texts themselves.
    """

    rows: Rows
    targets: npt.NDArray[np.floating[Any]]
    weights: Floats
    tenths: npt.NDArray[np.int8]


AddBlock = Callable[[TextBlock, Floats], Floats]  # adds to an array, and returns numbers to add up


@dataclass(frozen=True)
class Block:
    """One block: its file, its first text, and its numbers of texts and of entries; with `signed`, it has signs."""

    path: Path
    first: int
    texts: int
    entries: int
    signed: bool

    def rows(self) -> Rows:
        """Map the block's file."""
        if not self.entries:
            return Rows(np.zeros(self.texts + 1, np.int32), np.zeros(0, np.int32), None)
        starts = _mapped(self.path, np.int32, self.texts + 1, 0)
        columns = _mapped(self.path, np.int32, self.entries, 4 * (self.texts + 1))
        signs = _mapped(self.path, np.int8, self.entries, 4 * (self.texts + 1 + self.entries)) if self.signed else None
        return Rows(starts, columns, signs)


def _mapped(path: Path, dtype: Any, count: int, offset: int) -> npt.NDArray[Any]:
    """Map a part of a file."""
    return np.asarray(np.memmap(path, dtype, "r", offset, (count,)))


@lru_cache(maxsize=64)  # all powers of two
def _ones(count: int, dtype: str) -> npt.NDArray[Any]:
    """Return ones, the values of a block without signs, for a power of two of them."""
    return np.ones(count, dtype)


@dataclass(frozen=True)
class NgramMatrix:
    """A matrix (texts, n-grams) in blocks, and each text's target, weight and tenth.

    The texts from `labelled` on have no label; `guesses` are their targets in each regression, if these labelled them.
    """

    blocks: Sequence[Block]
    ngrams: int
    targets: Floats
    weights: Floats
    tenths: npt.NDArray[np.int8]
    labelled: int
    guesses: Singles | None = None

    @property
    def has_unlabelled(self) -> bool:
        """Whether there are texts without a label."""
        return self.labelled < len(self.targets)

    def labelled_part(self) -> "NgramMatrix":
        """Return the texts with a label."""
        end = self.labelled
        blocks = [block for block in self.blocks if block.first < end]
        facts = (self.targets[:end], self.weights[:end], self.tenths[:end])
        return NgramMatrix(blocks, self.ngrams, *facts, end)

    def with_guesses(self, guess: Callable[[TextBlock], Singles]) -> "NgramMatrix":
        """Label the texts without a label: (texts, regressions) for each block."""
        guesses = [guess(self._text_block(block)) for block in self.blocks if block.first >= self.labelled]
        return replace(self, guesses=np.concatenate(guesses))

    def total_weights(self, left_out: Sequence[LeftOut]) -> list[float]:
        """Return the sum of the texts' weights without each of these tenths."""
        return [total_weight(self.weights, self.tenths, tenth) for tenth in left_out]

    def sum_over_blocks(self, shape: tuple[int, ...], add: AddBlock) -> tuple[Floats, Floats]:
        """Return the sum of what a function adds to an array of this shape for each block, and of what it returns."""
        totals = np.zeros((_THREADS, *shape))

        def add_blocks(number: int) -> list[Floats]:
            return [add(self._text_block(block), totals[number]) for block in self.blocks[number::_THREADS]]

        returned: list[Floats] = [np.zeros(0)] * len(self.blocks)
        with ThreadPoolExecutor(_THREADS) as pool:
            for number, found in enumerate(pool.map(add_blocks, range(_THREADS))):
                returned[number::_THREADS] = found
        totals[0] += totals[1]
        return totals[0], np.array(returned).sum(axis=0)

    def _text_block(self, block: Block) -> TextBlock:
        """Return a block with the facts of its texts."""
        span = slice(block.first, block.first + block.texts)
        targets: npt.NDArray[np.floating[Any]] = self.targets[span, None]
        if self.guesses is not None and block.first >= self.labelled:
            targets = self.guesses[span.start - self.labelled : span.stop - self.labelled]
        return TextBlock(block.rows(), targets, self.weights[span], self.tenths[span])


def total_weight(weights: Floats, tenths: npt.NDArray[np.int8], left_out: LeftOut) -> float:
    """Return the sum of texts' weights without those of a tenth."""
    kept = weights if left_out is None else weights[tenths != left_out]
    return float(in_units(kept).sum() * UNIT)


def in_units(values: Floats) -> Floats:
    """Return the number of units nearest to each value. Sums of them are exact in double precision."""
    units: Floats = np.rint(values / UNIT)
    return units


def times(rows: Rows, vectors: Singles) -> Singles:
    """Return the product of rows and vectors: (texts, n-grams) and (n-grams, vectors) give (texts, vectors)."""
    texts, (ngrams, count) = len(rows.starts) - 1, vectors.shape
    product = np.zeros((texts, count), np.float32)
    arrays = (rows.starts, rows.columns, rows.values("float32"), vectors.ravel(), product.ravel())
    _sparsetools.csr_matvecs(texts, ngrams, count, *arrays)
    return product


def add_transposed(rows: Rows, vectors: Floats, total: Floats, absolute: bool = False) -> None:
    """Add the product of the transposed rows, or of their absolute values, and vectors of texts to a total.

    The public operators of scipy return a new array instead, which would be as long as all n-grams for each block.
    """
    (ngrams, count), texts = total.shape, len(vectors)
    values = rows.values("float64", absolute)
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
    known = KnownNgrams.of(part.hashes(), part.lengths(), slot_hashes, slots)
    block = _write_block(folder / f"{part.path.stem}.rows", known.presence(), signed=False)
    if (part.tenths == NO_TENTH).any():
        return block, None
    signed = known.signs(part.inside())
    return block, _write_block(folder / f"{part.path.stem}.signed", signed, signed=True)


@dataclass(frozen=True)
class KnownNgrams:
    """The n-grams of texts that are in the table: `known` has an entry for each n-gram, the rest for each known one."""

    known: npt.NDArray[np.bool_]
    row: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    shape: tuple[int, int]

    @classmethod
    def of(cls, hashes: Hashes, lengths: npt.NDArray[np.int32], slot_hashes: Hashes, slots: int) -> "KnownNgrams":
        """Find the n-grams of texts, of which there are `lengths`."""
        column_of = np.full(slots, -1, dtype=np.int32)
        column_of[slot_of(slot_hashes, slots)] = np.arange(len(slot_hashes), dtype=np.int32)
        column = column_of[slot_of(hashes, slots)]
        known = (column >= 0) & (slot_hashes[column] >> 24 == hashes >> 24)  # as the app would find it
        row = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)[known]
        return cls(known, row, column[known], (len(lengths), len(slot_hashes)))

    def presence(self) -> csr_matrix:
        """Return the matrix that has a 1 for each n-gram of a text."""
        return _distinct(self.row, self.column, np.ones(len(self.row), np.float32), self.shape)

    def signs(self, inside: npt.NDArray[np.bool_]) -> csr_matrix:
        """Return the matrix that has -1 for an n-gram inside negations only, and nothing for one inside and outside."""
        signs = np.where(inside[self.known], np.float32(-1), np.float32(1))
        return _distinct(self.row, self.column, signs, self.shape)


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
