"""Words -> evidence: derived columns, each a whole number, that say how a review's terms speak for and against it.

A term is a word, a pair or triple of neighbours, a gap (`not * good`: two words around any third), or a negated word
(`not ... good`: up to five words after a negation). Hundreds of thousands of them have two weights each: what a linear
model learned of it, and its *log-count ratio*, how much commoner it is in positive than in negative reviews (Wang &
Manning, "Baselines and Bigrams", ACL 2012). Sums of these, over all of a review and over stretches of it, are what the
trees see beside single words. `training.evidence` learns the weights.

The terms themselves are not stored. A term's CRC-32 gives its slot in a table, and its upper eight bits must stand
there too: of unknown terms a few in a thousand are taken for known ones, in training as in serving. A weight is a code
of one byte, and code `c` stands for `c * |c|` units: fine near zero, wide at the ends. All sums are of whole numbers,
so that every machine gives the same columns. See docs/architecture.md.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, chain, pairwise, repeat
from math import sqrt
from operator import add, sub
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from chalicelib.errors import ReleaseError
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 1
KINDS = ("words", "pairs", "triples", "gaps", "negated")
LEARNED_UNITS, COUNTED_UNITS = 200, 2_000  # to a whole: weights reach 80, and log-count ratios 8
EARLY, LATE = (15, 40), (15, 40, 80)  # words at the beginning and at the end
STRETCH = 10  # words
STRETCH_LIMIT = 12 * LEARNED_UNITS  # no stretch speaks louder than this in their mean
NEGATION_REACH = 5  # words
CENTRE = 100_000  # is added to every column: none is ever 0, which could be taken for missing

_NEGATION_LIST = """
no not never none nor neither nothing nobody nowhere without hardly barely cannot
don't doesn't didn't isn't wasn't aren't weren't ain't can't couldn't won't wouldn't shouldn't haven't hasn't hadn't
"""
NEGATIONS = frozenset(_NEGATION_LIST.split())
COLUMNS = (
    *(f"learned, {kind}" for kind in KINDS),
    "learned, all",
    *(f"learned, last {count} words" for count in LATE),
    *(f"learned, first {count} words" for count in EARLY),
    *(f"learned, {which} {STRETCH} words" for which in ("kindest", "harshest", "mean of any")),
    *(f"counted, {kind}" for kind in KINDS),
    "counted, all",
    "known terms, different ones",
    "known terms a thousand words",
    "words",
)

_TITLE = f"Verdict evidence, format {FORMAT_VERSION}"
_UNITS_OF = [code * code for code in range(128)] + [-((code - 256) ** 2) for code in range(128, 256)]  # byte -> units
_NEGATED = crc32(b"not ... ")


class Hashes(NamedTuple):
    """The CRC-32 of every term of a review, kind by kind, in the order of their last words.

    Pairs begin with the second word, triples and gaps with the third; `negated_at` are the places of negated words.
    """

    words: Sequence[int]
    pairs: Sequence[int]
    triples: Sequence[int]
    gaps: Sequence[int]
    negated: Sequence[int]
    negated_at: Sequence[int]

    @property
    def by_kind(self) -> tuple[Sequence[int], ...]:
        """The five kinds, in the order of `KINDS`."""
        return self[: len(KINDS)]


def hashes(words: Sequence[str]) -> Hashes:
    """Hash the terms of a review's words: `["not", "so", "good"]` has `crc32(b"not * good ")` among its gaps."""
    if not words:
        return Hashes((), (), (), (), (), ())
    spaced = (" \n".join(words) + " ").encode().split(b"\n")
    singles = list(map(crc32, spaced))
    pairs = list(map(crc32, spaced[1:], singles))  # a CRC goes on where the one before it ended
    triples = list(map(crc32, spaced[2:], pairs))
    gaps = list(map(crc32, spaced[2:], map(crc32, repeat(b"* "), singles)))
    places = negated_places(words)
    return Hashes(singles, pairs, triples, gaps, [crc32(spaced[place], _NEGATED) for place in places], places)


def negated_places(words: Sequence[str]) -> list[int]:
    """Return the places of the words that follow a negation, up to five of them: `not so good` -> [1, 2]."""
    if NEGATIONS.isdisjoint(words):
        return []
    ends = [place + NEGATION_REACH for place, word in enumerate(words) if word in NEGATIONS]
    reached = {place for end in ends for place in range(end - NEGATION_REACH + 1, end + 1)}
    return sorted(place for place in reached if place < len(words))


def terms(words: Sequence[str]) -> list[list[str]]:
    """Return the terms that `hashes` hashes, kind by kind, for people to read."""
    triples = zip(words, words[1:], words[2:], strict=False)
    return [
        list(words),
        [" ".join(pair) for pair in pairwise(words)],
        [" ".join(triple) for triple in triples],
        [f"{first} * {last}" for first, last in zip(words, words[2:], strict=False)],
        [f"not ... {words[place]}" for place in negated_places(words)],
    ]


class Evidence:
    """A table of weights: for each slot a check byte and two codes, all 0 where no term is, as in slot 0.

    Raises `ReleaseError` unless the three are equally long, a power of two.
    """

    def __init__(self, checks: bytes, learned: bytes, counted: bytes) -> None:
        self.checks, self.learned, self.counted = checks, learned, counted
        self._mask = len(checks) - 1
        if not checks or len(checks) & self._mask or not len(checks) == len(learned) == len(counted):
            raise ReleaseError("The evidence's tables must be equally long, and their length a power of two.")

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the evidence file."""
        return hashlib.sha256(self.dumps()).hexdigest()

    def slots(self, term_hashes: Sequence[int]) -> list[int]:
        """Return the slot of each hashed term; 0 for a term that has none."""
        checks, mask = self.checks, self._mask
        return [slot if checks[slot] == term >> 24 else 0 for term in term_hashes for slot in (term & mask,)]

    def by_place(self, words: Sequence[str]) -> list[int]:
        """Return what was learned of the terms that end at each word, in units: above 0 speaks for positive."""
        hashed = hashes(words)
        return self._by_place([self.slots(kind) for kind in hashed.by_kind], hashed.negated_at)

    def _by_place(self, found: Sequence[Sequence[int]], negated_at: Sequence[int]) -> list[int]:
        """Add up what was learned of the terms that end at each word, given their slots."""
        learned, units = self.learned, _UNITS_OF
        single, pair, triple, gap, negated = ([units[learned[slot]] for slot in slots] for slots in found)
        both = map(add, single, chain((0,), pair))
        wide = map(add, chain((0, 0), triple), chain((0, 0), gap))
        places = list(map(add, both, wide))
        for place, value in zip(negated_at, negated, strict=True):
            places[place] += value
        return places

    def columns(self, words: Sequence[str]) -> list[int]:
        """Return the derived columns of a review's words, in the order of `COLUMNS`: whole numbers above 0."""
        hashed = hashes(words)
        found = [self.slots(kind) for kind in hashed.by_kind]
        different = [set(slots).difference((0,)) for slots in found]
        known = sum(map(len, different))
        hits = sum(len(slots) - slots.count(0) for slots in found)
        learned = self._sums(self.learned, different, known)
        counted = self._sums(self.counted, different, known)
        stretches = _stretches(self._by_place(found, hashed.negated_at))
        values = [*learned, *stretches, *counted, known, round(1000 * hits / max(len(words), 1)), len(words)]
        return [min(max(value, 1 - CENTRE), CENTRE - 1) + CENTRE for value in values]

    def _sums(self, codes: bytes, different: Sequence[set[int]], known: int) -> list[int]:
        """Return the sum of weights of each kind, and of all, over the root of the number of known terms."""
        units, root = _UNITS_OF, sqrt(known or 1)
        sums = [sum([units[codes[slot]] for slot in slots]) for slots in different]
        return [round(total / root) for total in (*sums, sum(sums))]

    def dumps(self) -> bytes:
        """Return the content of the evidence file: a header that a person can read, and the three tables."""
        header = f"{_TITLE}\ncleaner: {CLEANER_VERSION}\nslots: {len(self.checks)}\n\n"
        return header.encode() + self.checks + self.learned + self.counted


def _stretches(places: Sequence[int]) -> list[int]:
    """Return what the ends of a review say, its kindest and harshest stretch of ten words, and all those on average."""
    sums = [0, *accumulate(places)]
    total, count = sums[-1], len(places)
    late = [total - sums[max(count - words, 0)] for words in LATE]
    early = [sums[min(words, count)] for words in EARLY]
    stretches = list(map(sub, chain(sums[STRETCH:], repeat(total)), sums[:-1]))
    limit = STRETCH_LIMIT
    limited = sum([-limit if each < -limit else limit if each > limit else each for each in stretches])
    return [*late, *early, max(stretches, default=0), min(stretches, default=0), round(limited / (count or 1))]


def parse(content: bytes) -> Evidence:
    """Read the content of an evidence file; raises `ReleaseError` with the reason when it is not whole."""
    header, _, tables = content.partition(b"\n\n")
    title, *pairs = header[:200].decode("ascii", "replace").split("\n")
    if title != _TITLE:
        raise ReleaseError(f"The evidence file begins with {title[:60]!r}, not with {_TITLE!r}.")
    stated = dict(pair.partition(": ")[::2] for pair in pairs)
    if stated.get("cleaner") != str(CLEANER_VERSION):
        raise ReleaseError(f"The evidence was learned for cleaner {stated.get('cleaner')!r}, not {CLEANER_VERSION}.")
    size = len(tables) // 3
    if stated.get("slots") != str(size) or size * 3 != len(tables):
        raise ReleaseError(
            f"The evidence file states {stated.get('slots')} slots and has {len(tables):,} bytes: it was cut or edited."
        )
    evidence = Evidence(tables[:size], tables[size : 2 * size], tables[2 * size :])
    evidence.__dict__["sha256"] = hashlib.sha256(content).hexdigest()  # of the bytes at hand, not of another copy
    return evidence


def load(path: Path) -> Evidence:
    """Read an evidence file; raises `ReleaseError` when it is absent or not whole."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise ReleaseError(f"The evidence file {path} cannot be read: {error}.") from error
