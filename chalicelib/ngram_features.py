"""N-gram features: the derived columns that sum up what a review's n-grams contribute to positive and negative.

An n-gram here is a word, a pair or a triple of neighbours, a gap (`not * good`: two words around any third), or a
negated word (`not ... good`: up to five words after a negation). Hundreds of thousands of them have two weights each:
the *learned weight* of a linear model, and the *log-count ratio*, which compares how often the n-gram occurs in
positive and in negative reviews (Wang & Manning, "Baselines and Bigrams", ACL 2012). The trees see sums of these
weights, over the whole review and over parts of it, beside single words. `training.features.ngram_weights` learns the
weights.

The table stores no text. The CRC-32 of an n-gram gives its slot, and its upper eight bits are stored there as a check:
a few in a thousand unknown n-grams are mistaken for known ones, in training as in serving. A weight is stored as a
one-byte code, and code `c` stands for `c * |c|` units: fine steps near zero, coarse steps at the ends. All sums are
integers, so every machine computes the same columns. See docs/explanation/model.md.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise, repeat
from math import sqrt
from operator import sub
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from chalicelib.errors import ReleaseError
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 1
NGRAM_KINDS = ("words", "pairs", "triples", "gaps", "negated")
LEARNED_WEIGHT_UNITS, LOG_COUNT_RATIO_UNITS = 200, 2_000  # per 1.0: codes reach weights of 80 and ratios of 8
FIRST_WORDS, LAST_WORDS = (15, 40), (15, 40, 80)  # the beginnings and the ends of a review that have a column
WINDOW = 10  # words
WINDOW_LIMIT = 12 * LEARNED_WEIGHT_UNITS  # a window's sum is cut to this before the mean of all windows is taken
NEGATION_REACH = 5  # words
CENTRE = 100_000  # is added to every column: none is ever 0, which could be taken for missing

_NEGATION_LIST = """
no not never none nor neither nothing nobody nowhere without hardly barely cannot
don't doesn't didn't isn't wasn't aren't weren't ain't can't couldn't won't wouldn't shouldn't haven't hasn't hadn't
"""
NEGATIONS = frozenset(_NEGATION_LIST.split())
COLUMNS = (
    *(f"learned weights, {kind}" for kind in NGRAM_KINDS),
    "learned weights, all",
    *(f"learned weights, last {count} words" for count in LAST_WORDS),
    *(f"learned weights, first {count} words" for count in FIRST_WORDS),
    *(f"learned weights, {which} {WINDOW} words" for which in ("most positive", "most negative", "mean of all")),
    *(f"log-count ratios, {kind}" for kind in NGRAM_KINDS),
    "log-count ratios, all",
    "distinct known n-grams",
    "known n-grams per thousand words",
    "words",
)

_TITLE = f"Verdict evidence, format {FORMAT_VERSION}"  # the table's former name: every release has it in its bytes
_UNITS_OF = [code * code for code in range(128)] + [-((code - 256) ** 2) for code in range(128, 256)]  # byte -> units
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
    spaced = (" \n".join(words) + " ").encode().split(b"\n") if words else []
    singles = list(map(crc32, spaced))
    pairs = list(map(crc32, spaced[1:], singles))
    triples = list(map(crc32, spaced[2:], pairs))
    gaps = list(map(crc32, spaced[2:], map(crc32, repeat(b"* "), singles)))
    positions = negated_positions(words)
    negated = [crc32(spaced[position], _NEGATED) for position in positions]
    return NgramHashes(singles, pairs, triples, gaps, negated, positions)


def negated_positions(words: Sequence[str]) -> list[int]:
    """Return the positions of the words that follow a negation, up to five of them: `not so good` -> [1, 2]."""
    if NEGATIONS.isdisjoint(words):
        return []
    negations = [position for position, word in enumerate(words) if word in NEGATIONS]
    reached = {position + step for position in negations for step in range(1, NEGATION_REACH + 1)}
    return sorted(position for position in reached if position < len(words))


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


class NgramTable:
    """A hash table of weights: for each slot a check byte and two codes, all 0 in an empty slot. Slot 0 stays empty.

    Raises `ReleaseError` unless the three are equally long, and their length is a power of two.
    """

    def __init__(self, checks: bytes, learned_weights: bytes, log_count_ratios: bytes) -> None:
        self.checks = checks
        self.learned_weights = learned_weights
        self.log_count_ratios = log_count_ratios
        self._mask = len(checks) - 1
        if not checks or len(checks) & self._mask or not len(checks) == len(learned_weights) == len(log_count_ratios):
            raise ReleaseError("The n-gram table's three parts must have one length, a power of two.")

    @property
    def _parts(self) -> tuple[bytes, ...]:
        """The content of the file, part by part: a header that a person can read, and the three tables."""
        header = f"{_TITLE}\ncleaner: {CLEANER_VERSION}\nslots: {len(self.checks)}\n\n"
        return header.encode(), self.checks, self.learned_weights, self.log_count_ratios

    def dumps(self) -> bytes:
        """Return the content of the file."""
        return b"".join(self._parts)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file."""
        digest = hashlib.sha256()
        for part in self._parts:
            digest.update(part)
        return digest.hexdigest()

    def slots(self, hashes: Sequence[int]) -> list[int]:
        """Return the slot of each hashed n-gram; 0 for an unknown one, whose check byte is not in its slot."""
        checks, mask = self.checks, self._mask
        return [slot if checks[slot] == hashed >> 24 else 0 for hashed in hashes for slot in (hashed & mask,)]

    def word_weights(self, words: Sequence[str]) -> list[int]:
        """Return the learned weight of each single word; units, above 0 for positive, 0 for an unknown word."""
        units, codes = _UNITS_OF, self.learned_weights
        return [units[codes[slot]] for slot in self.slots([crc32(f"{word} ".encode()) for word in words])]

    def weights_by_position(self, words: Sequence[str]) -> list[int]:
        """Return the learned weights of the n-grams that end at each word, added up; units, above 0 for positive."""
        hashes = hash_ngrams(words)
        return self._weights_by_position([self.slots(kind) for kind in hashes.by_kind], hashes.negated_positions)

    def _weights_by_position(self, slots_by_kind: Sequence[Sequence[int]], negated: Sequence[int]) -> list[int]:
        """Add up the learned weights of the n-grams that end at each word, given their slots."""
        units, codes = _UNITS_OF, self.learned_weights
        singles, pairs, triples, gaps, of_negated = [[units[codes[slot]] for slot in slots] for slots in slots_by_kind]
        ending = zip(singles, (0, *pairs), (0, 0, *triples), (0, 0, *gaps), strict=False)  # cut to the number of words
        totals = [single + pair + triple + gap for single, pair, triple, gap in ending]
        for position, weight in zip(negated, of_negated, strict=True):
            totals[position] += weight
        return totals

    def columns(self, words: Sequence[str]) -> list[int]:
        """Return the derived columns of a review's words, in the order of `COLUMNS`: integers above 0."""
        hashes = hash_ngrams(words)
        slots_by_kind = [self.slots(kind) for kind in hashes.by_kind]
        distinct = [set(slots).difference((0,)) for slots in slots_by_kind]
        known = sum(map(len, distinct))
        occurrences = sum(len(slots) - slots.count(0) for slots in slots_by_kind)
        values = [
            *self._sums(self.learned_weights, distinct, known),
            *_positional_sums(self._weights_by_position(slots_by_kind, hashes.negated_positions)),
            *self._sums(self.log_count_ratios, distinct, known),
            known,
            round(1000 * occurrences / max(len(words), 1)),
            len(words),
        ]
        return [min(max(value, 1 - CENTRE), CENTRE - 1) + CENTRE for value in values]

    def _sums(self, codes: bytes, distinct: Sequence[set[int]], known: int) -> list[int]:
        """Return the sum of weights of each kind, and of all, divided by the root of the number of known n-grams."""
        units, root = _UNITS_OF, sqrt(known or 1)
        sums = [sum([units[codes[slot]] for slot in slots]) for slots in distinct]
        return [round(total / root) for total in (*sums, sum(sums))]


def _positional_sums(weights: Sequence[int]) -> list[int]:
    """Sum the weights by position: of the last and first words; of the highest, lowest and mean ten-word window.

    A window begins at every word; those that begin near the end are shorter.
    """
    count = len(weights)
    sums = [0, *accumulate(weights)]  # sums[n] is the sum of the first n weights
    total = sums[-1]
    last = [total - sums[max(count - words, 0)] for words in LAST_WORDS]
    first = [sums[min(words, count)] for words in FIRST_WORDS]
    window_ends = sums[WINDOW:] + [total] * WINDOW
    windows = list(map(sub, window_ends, sums[:-1]))
    limit = WINDOW_LIMIT
    limited = [-limit if window < -limit else limit if window > limit else window for window in windows]
    return [*last, *first, max(windows, default=0), min(windows, default=0), round(sum(limited) / (count or 1))]


def parse(content: bytes) -> NgramTable:
    """Read the content of an n-gram table's file; raises `ReleaseError` if it is incomplete or of another format."""
    header, _, tables = content.partition(b"\n\n")
    title, *pairs = header[:200].decode("ascii", "replace").split("\n")
    if title != _TITLE:
        raise ReleaseError(f"The n-gram table begins with {title[:60]!r}, not with {_TITLE!r}.")
    stated = dict(pair.partition(": ")[::2] for pair in pairs)
    if stated.get("cleaner") != str(CLEANER_VERSION):
        raise ReleaseError(
            f"The n-gram table was learned for cleaner {stated.get('cleaner')!r}; this code has cleaner "
            f"{CLEANER_VERSION}."
        )
    size = len(tables) // 3
    if stated.get("slots") != str(size) or size * 3 != len(tables):
        raise ReleaseError(
            f"The n-gram table states {stated.get('slots')} slots and has {len(tables):,} bytes: it was cut or edited."
        )
    return NgramTable(tables[:size], tables[size : 2 * size], tables[2 * size :])


def load(path: Path) -> NgramTable:
    """Read the file of an n-gram table; raises `ReleaseError` if it is missing or incomplete."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise ReleaseError(f"The n-gram table {path} cannot be read: {error}.") from error
