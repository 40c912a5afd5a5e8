"""The hashes of the n-grams of many texts at once: the same as `hash_ngrams` and `indices_inside` give, in arrays.

The CRC-32 of two strings in a row is the XOR of the second one's and of the first one's after as many steps as the
second has bytes; a step is linear over bits, so that a table for each byte gives the result of any number of steps. So
the n-grams of a chunk need only the CRC-32 of its distinct words.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from zlib import crc32

import numpy as np
import numpy.typing as npt

from chalicelib.negation import negated_positions
from chalicelib.ngrams import NGRAM_KINDS

Hashes = npt.NDArray[np.uint32]

_WORD, _PAIR, _TRIPLE, _GAP, _NEGATED = range(len(NGRAM_KINDS))
_BYTE_VALUES = (np.arange(256, dtype=np.uint32) << (8 * np.arange(4, dtype=np.uint32)[:, None])).ravel()
_LOW_BYTE = np.uint32(255)


def hash_chunk(texts: Sequence[Sequence[str]]) -> tuple[npt.NDArray[np.int64], Hashes, npt.NDArray[np.uint8]]:
    """Return, for every n-gram of these texts: the number of its text, its hash, and 2 * its kind + inside.

    `inside` is whether it is inside a negation. N-grams that occur several times in a text are returned several times.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    text_of = np.repeat(np.arange(len(texts)), lengths)
    first = np.cumsum(lengths) - lengths
    position = np.arange(len(text_of)) - first[text_of]  # within its text
    second, third = np.flatnonzero(position >= 1), np.flatnonzero(position >= 2)
    negated = np.zeros(len(text_of), np.bool_)
    negated[
        [start + inner for start, text in zip(first.tolist(), texts, strict=True) for inner in negated_positions(text)]
    ] = True
    words = _Words(list(chain.from_iterable(texts)))
    pairs = words.append(words.hashes, second)
    triples = words.append(pairs, third)
    gaps = words.append_after_gap(third)
    inside_pairs = negated[second] & negated[second - 1]
    inside_gaps = negated[third] & negated[third - 2]
    inside_triples = inside_gaps & negated[third - 1]
    return (
        np.concatenate([text_of, text_of[second], text_of[third], text_of[third], text_of[negated]]),
        np.concatenate([words.hashes, pairs[second], triples[third], gaps, words.negated(negated)]),
        np.concatenate(
            [
                _codes(_WORD, negated),
                _codes(_PAIR, inside_pairs),
                _codes(_TRIPLE, inside_triples),
                _codes(_GAP, inside_gaps),
                _codes(_NEGATED, np.zeros(int(negated.sum()), np.bool_)),
            ]
        ),
    )


def _codes(kind: int, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return the codes of n-grams of a kind."""
    return inside + np.uint8(2 * kind)


class _Words:
    """The words of a chunk in their order, as numbers of its distinct words."""

    def __init__(self, words: Sequence[str]) -> None:
        number_of = {word: number for number, word in enumerate(dict.fromkeys(words))}
        self._spaced = [f"{word} ".encode() for word in number_of]
        self._numbers = np.fromiter(map(number_of.__getitem__, words), np.int32, len(words))
        lengths = np.array([len(word) for word in self._spaced], np.int64)
        tables, self._table_of = np.unique(lengths, return_inverse=True)
        self._tables = [_steps(length) for length in tables.tolist()]
        self._gap_tables = [_steps(length + 2) for length in tables.tolist()]
        self.hashes = self._hashes_after(b"")[self._numbers]

    def _hashes_after(self, before: bytes) -> Hashes:
        """Return the hash of every distinct word after these bytes."""
        start = crc32(before)
        return np.fromiter((crc32(word, start) for word in self._spaced), np.uint32, len(self._spaced))

    def append(self, hashes: Hashes, at: npt.NDArray[np.intp]) -> Hashes:
        """Return the hashes of what ends before a position and the word there, at these positions (0 elsewhere)."""
        result = np.zeros(len(self._numbers), np.uint32)
        result[at] = self._advance(hashes[at - 1], at, self._tables) ^ self.hashes[at]
        return result

    def append_after_gap(self, at: npt.NDArray[np.intp]) -> Hashes:
        """Return the hashes of the gaps that end at these positions: the word two before, `*` and the word there."""
        after_gap = self._hashes_after(b"* ")[self._numbers[at]]
        return self._advance(self.hashes[at - 2], at, self._gap_tables) ^ after_gap

    def negated(self, at: npt.NDArray[np.bool_]) -> Hashes:
        """Return the hashes of the negated words at these positions."""
        return self._hashes_after(b"not ... ")[self._numbers[at]]

    def _advance(self, hashes: Hashes, at: npt.NDArray[np.intp], tables: Sequence[Hashes]) -> Hashes:
        """Take, with each hash, as many steps as the word at its position has bytes."""
        start = (self._table_of[self._numbers[at]] * _BYTE_VALUES.size).astype(np.intp)
        return _look_up(np.concatenate([*tables, _BYTE_VALUES]), start, hashes)


def _look_up(tables: Hashes, start: npt.NDArray[np.intp] | int, hashes: Hashes) -> Hashes:
    """Return the results of as many steps as the table that begins at `start` is for."""
    result: Hashes = tables[start + (hashes & _LOW_BYTE)]
    for byte in range(1, 4):
        result ^= tables[start + 256 * byte + (hashes >> np.uint32(8 * byte) & _LOW_BYTE)]
    return result


@lru_cache(maxsize=1024)
def _steps(count: int) -> Hashes:
    """Return the table of a number of steps: the result for each value of each of the four bytes."""
    if count == 1:
        byte = _BYTE_VALUES & _LOW_BYTE
        single = np.array([crc32(bytes([value])) ^ crc32(b"\0") for value in range(256)], np.uint32)
        one_step: Hashes = single[byte] ^ (_BYTE_VALUES >> np.uint32(8))
        return one_step
    half = _steps(count // 2)
    doubled = _look_up(half, 0, half)
    return _look_up(_steps(1), 0, doubled) if count % 2 else doubled
