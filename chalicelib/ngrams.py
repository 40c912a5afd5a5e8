"""The n-grams of a text, and their hashes.

An n-gram here is a word, a pair or a triple of neighbours, a gap (`not * good`: two words around any third), or a
negated word (`not ... good`, inside the scope of a negation; see `negation`).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from chalicelib.negation import negated_positions

NGRAM_KINDS = ("words", "pairs", "triples", "gaps", "negated")
_NEGATED = crc32(b"not ... ")


class NgramHashes(NamedTuple):
    """The CRC-32 of every n-gram of a review, kind by kind, in the order of their last words.

    Pairs begin with the second word, triples and gaps with the third; `negated_positions` are those of negated words.
    """

    words: Sequence[int]
    pairs: Sequence[int]
    triples: Sequence[int]
    gaps: Sequence[int]
    negated: Sequence[int]
    negated_positions: Sequence[int]

    @property
    def by_kind(self) -> tuple[Sequence[int], ...]:
        """The five kinds, in the order of `NGRAM_KINDS`."""
        return self[: len(NGRAM_KINDS)]


def hash_ngrams(words: Sequence[str]) -> NgramHashes:
    """Hash the n-grams of a review's words: `["not", "so", "good"]` has `crc32(b"not * good ")` among its gaps.

    A hash is the CRC-32 of the n-gram's text and a space. `crc32(b, crc32(a))` is `crc32(a + b)`, so each longer n-gram
    continues the hash of a shorter one. `map` is faster than comprehensions here; the plain form is in the tests.
    """
    if not words:
        return NgramHashes([], [], [], [], [], [])
    spaced = (" \n".join(words) + " ").encode().split(b"\n")
    singles = list(map(crc32, spaced))
    pairs = list(map(crc32, spaced[1:], singles))
    triples = list(map(crc32, spaced[2:], pairs))
    gaps = list(map(crc32, map(b"* ".__add__, spaced[2:]), singles))
    positions = negated_positions(words)
    negated = [crc32(spaced[position], _NEGATED) for position in positions]
    return NgramHashes(singles, pairs, triples, gaps, negated, positions)


def ngrams(words: Sequence[str]) -> list[list[str]]:
    """Return the text of the n-grams that `hash_ngrams` hashes, kind by kind, for people to read."""
    triples = zip(words, words[1:], words[2:], strict=False)
    return [
        list(words),
        [" ".join(pair) for pair in pairwise(words)],
        [" ".join(triple) for triple in triples],
        [f"{first} * {last}" for first, last in zip(words, words[2:], strict=False)],
        [f"not ... {words[position]}" for position in negated_positions(words)],
    ]
