"""N-gram features: the derived columns that sum up what a review's n-grams contribute to positive and negative.

Hundreds of thousands of n-grams (see `ngrams`) have two weights each, of linear models over n-grams that are scaled by
their log-count ratios (Wang & Manning, "Baselines and Bigrams", ACL 2012):

- the *review weight*, learned mostly from whole reviews, with and without labels;
- the *sentence weight*, learned mostly from sentences and phrases. In this model an n-gram that is wholly inside a
  negation counts against itself: `excellent` in "not an excellent film" adds the opposite of its weight;

and a third number, the log-count ratio itself, which compares how often it occurs in positive and in negative reviews.

The trees see sums of these weights, over the whole review and over parts of it, beside single words.
`training.features.ngram_weights` learns the weights.

The table stores no text. The CRC-32 of an n-gram gives its slot, and its upper eight bits are stored there as a check:
a few in a thousand unknown n-grams are mistaken for known ones, in training as in serving. A weight is stored as a
one-byte code (see `byte_vectors`). All sums are integers, so every machine computes the same columns. See
docs/explanation/model.md.
"""

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, chain, compress, pairwise
from math import sqrt
from operator import add, sub
from pathlib import Path
from zlib import crc32

from chalicelib.byte_vectors import (
    UNITS_OF,
    above_zero,
    add_units,
    bitwise_and,
    elements_at,
    equal,
    pack,
    units,
    unpack,
)
from chalicelib.errors import ReleaseError
from chalicelib.ngrams import NGRAM_KINDS, NgramHashes, hash_ngrams
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 2
TABLES = 4  # of equal size in the file
WEIGHT_UNITS, RATIO_UNITS = 200, 2_000  # per 1.0: codes reach weights of 80 and ratios of 8
REVIEW_ENDS = ((15, 40, 80), (15, 40))  # the last and the first words that have a column of review weights
SENTENCE_ENDS = ((15, 40), (15,))  # and of sentence weights
WINDOW = 10  # words
WINDOW_LIMIT = 12 * WEIGHT_UNITS  # a window's sum is cut to this before the mean of all windows is taken
CONTRASTS = frozenset(("but", "however", "although", "though", "yet"))
CENTRE = 100_000  # is added to every column: none is ever 0, which could be taken for missing

_SIGNS = [f"{sign} {where}" for where in ("outside", "inside") for sign in ("positive", "negative")]
_WINDOWS = [f"{which} {WINDOW} words" for which in ("most positive", "most negative", "mean of all")]
COLUMNS = (
    *(f"review weights, {part}" for part in (*NGRAM_KINDS, "all", "inside negations")),
    *(f"review weights, last {count} words" for count in REVIEW_ENDS[0]),
    *(f"review weights, first {count} words" for count in REVIEW_ENDS[1]),
    *(f"review weights, {window}" for window in _WINDOWS),
    *(f"sentence weights, {part}" for part in (*NGRAM_KINDS, "all")),
    *(f"sentence weights, {sign} negations" for sign in _SIGNS),
    *(f"sentence weights, last {count} words" for count in SENTENCE_ENDS[0]),
    *(f"sentence weights, first {count} words" for count in SENTENCE_ENDS[1]),
    *(f"sentence weights, {window}" for window in _WINDOWS),
    "sentence weights, from the last contrast on",
    *(f"log-count ratios, {part}" for part in (*NGRAM_KINDS, "all")),
    "distinct known n-grams",
    "known n-grams per thousand words",
    "words",
    "negated words",
)

_TITLE = f"Verdict evidence, format {FORMAT_VERSION}"  # the table's former name: every release has it in its bytes
_LONGEST_HEADER = 200  # bytes
_ENTRY_BYTES = 4  # of a slot's entry: one of each table; a hash has four too
_CHECK, _REVIEW, _SENTENCE, _RATIO = range(TABLES)
_KINDS = len(NGRAM_KINDS)
_HASH_CHECK = 3  # the byte of a hash that is its check, in little-endian order


Bytes = bytes | memoryview  # a view of a file's content is not copied, which takes as long as the rest of loading it


class NgramTable:
    """A hash table of weights: for each slot a check byte and three codes, all 0 in an empty slot. Slot 0 stays empty.

    Raises `ReleaseError` unless the four are equally long, and their length is a power of two.
    """

    def __init__(self, checks: Bytes, review_weights: Bytes, sentence_weights: Bytes, log_count_ratios: Bytes) -> None:
        self.checks = checks
        self.review_weights = review_weights
        self.sentence_weights = sentence_weights
        self.log_count_ratios = log_count_ratios
        self._mask = pack([max(len(checks) - 1, 0)])
        lengths = set(map(len, self._tables))
        if not checks or len(checks) & (len(checks) - 1) or len(lengths) > 1:
            raise ReleaseError("The n-gram table's four parts must have one length, a power of two.")
        self._entries = _side_by_side(*self._tables)

    def __reduce__(self) -> tuple[type["NgramTable"], tuple[bytes, ...]]:
        """Return how a worker process builds the same table, without what is derived from the four parts."""
        return NgramTable, tuple(map(bytes, self._tables))

    @property
    def _tables(self) -> tuple[Bytes, ...]:
        """The four tables, in the order of the file."""
        return self.checks, self.review_weights, self.sentence_weights, self.log_count_ratios

    @property
    def _parts(self) -> tuple[Bytes, ...]:
        """The content of the file, part by part: a header that a person can read, and the tables."""
        header = f"{_TITLE}\ncleaner: {CLEANER_VERSION}\nslots: {len(self.checks)}\n\n"
        return header.encode(), *self._tables

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
        slots, is_known, _ = self._look_up(hashes)
        return [slot if known else 0 for slot, known in zip(slots, is_known, strict=True)]

    def _look_up(self, hashes: Sequence[int]) -> tuple[list[int], bytes, bytes]:
        """Return the slot of each hash, 255 where the n-gram is known and 0 elsewhere, and the entries of the slots."""
        packed = pack(hashes)
        packed_slots = bitwise_and(packed, self._mask * len(hashes))
        slots = unpack(packed_slots)
        entries = self._entries_at(slots)
        has_check = equal(entries[_CHECK::_ENTRY_BYTES], packed[_HASH_CHECK::_ENTRY_BYTES])
        return slots, bitwise_and(has_check, above_zero(packed_slots)), entries

    def _entries_at(self, slots: Sequence[int]) -> bytes:
        """Return the entries of these slots, four bytes each."""
        return array("I", elements_at(self._entries, slots)).tobytes()

    def word_slots(self, words: Sequence[str]) -> list[int]:
        """Return the slot of each single word; 0 for an unknown one."""
        return self.slots([crc32(f"{word} ".encode()) for word in words])

    def word_weights(self, words: Sequence[str]) -> list[int]:
        """Return the sentence weight of each single word; units, above 0 for positive, 0 for an unknown word."""
        return list(units(bytes(elements_at(self.sentence_weights, self.word_slots(words)))))

    def columns(self, words: Sequence[str]) -> list[int]:
        """Return the derived columns of a review's words, in the order of `COLUMNS`: integers above 0."""
        if not words:
            return [CENTRE] * len(COLUMNS)
        hashes = hash_ngrams(words)
        aligned, starts = _align(hashes)
        slots, is_known, entries = self._look_up(aligned)
        indices = indices_inside(hashes.negated_positions)
        outside, inside = _distinct(slots, is_known, starts, indices)
        known = sum(map(len, outside)) + sum(map(len, inside))
        root = sqrt(known or 1)
        of_review, of_sentence, of_ratios = self._sums(outside, inside)

        def scaled(totals: Iterable[int]) -> list[int]:
            return [round(total / root) for total in totals]

        review_codes = bitwise_and(entries[_REVIEW::_ENTRY_BYTES], is_known)
        sentence_codes = bitwise_and(entries[_SENTENCE::_ENTRY_BYTES], is_known)
        review = _add_by_position(review_codes, hashes.negated_positions, len(words))
        sentence = _add_by_position(sentence_codes, hashes.negated_positions, len(words))
        for start, inner in zip(starts, indices, strict=True):
            for index in inner:  # reversed: the opposite instead of what was added
                sentence[(start + index) % len(words)] -= 2 * UNITS_OF[sentence_codes[start + index]]
        values = [
            *scaled(of_review),
            *_positional_sums(review, *REVIEW_ENDS),
            *scaled(of_sentence),
            *_positional_sums(sentence, *SENTENCE_ENDS),
            sum(sentence[_last_contrast(words) :]),
            *scaled(of_ratios),
            known,
            round(1000 * is_known.count(255) / len(words)),
            len(words),
            len(hashes.negated_positions),
        ]
        return _centred(values)

    def _sums(self, outside: Sequence[set[int]], inside: Sequence[set[int]]) -> tuple[list[int], list[int], list[int]]:
        """Sum review weights, sentence weights and ratios over distinct n-grams, in the order of `COLUMNS`."""
        only_inside = [within - without for without, within in zip(outside, inside, strict=True)]
        groups = [*outside, *inside, *only_inside]
        ends = list(accumulate(map(len, groups), initial=0))
        entries = self._entries_at(list(chain.from_iterable(groups)))

        def by_group(numbers: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
            sums = [sum(numbers[start:end]) for start, end in pairwise(ends)]
            return sums[:_KINDS], sums[_KINDS : 2 * _KINDS], sums[2 * _KINDS :]

        review, review_inside, review_only_inside = by_group(units(entries[_REVIEW::_ENTRY_BYTES]))
        ratio, _, ratio_only_inside = by_group(units(entries[_RATIO::_ENTRY_BYTES]))
        weights = units(entries[_SENTENCE::_ENTRY_BYTES])
        sentence, sentence_inside, _ = by_group(weights)
        signs = [*_sums_by_sign(weights[: ends[_KINDS]]), *_sums_by_sign(weights[ends[_KINDS] : ends[2 * _KINDS]])]
        return (
            [*_with_total(map(add, review, review_only_inside)), sum(review_inside)],
            [*_with_total(map(sub, sentence, sentence_inside)), *signs],
            _with_total(map(add, ratio, ratio_only_inside)),
        )


def _side_by_side(*tables: Bytes) -> Sequence[int]:
    """Return the entry of each slot, the bytes of all tables in one number: one access to memory finds all."""
    entries = bytearray(_ENTRY_BYTES * len(tables[0]))
    for part, table in enumerate(tables):
        entries[part::_ENTRY_BYTES] = table
    return memoryview(entries).cast("I")


def _align(hashes: NgramHashes) -> tuple[list[int], list[int]]:
    """Return the hashes of all kinds in one list, and where each kind starts in it.

    Each kind but the last has as many elements as there are words: that of an n-gram is at the position of its last
    word, and the others are 0.
    """
    *kinds, negated = hashes.by_kind
    count = len(hashes.words)
    aligned = [0] * (len(kinds) * count)
    starts = [number * count - len(kind) for number, kind in enumerate(kinds, 1)]
    for start, kind in zip(starts, kinds, strict=True):
        aligned[start : start + len(kind)] = kind
    return [*aligned, *negated], [*starts, len(aligned)]


def _centred(values: Sequence[int]) -> list[int]:
    """Cut values to less than `CENTRE` and add it."""
    if min(values) > -CENTRE and max(values) < CENTRE:
        return [value + CENTRE for value in values]
    return [min(max(value, 1 - CENTRE), CENTRE - 1) + CENTRE for value in values]


def _with_total(sums: Iterable[int]) -> list[int]:
    """Return the sums, and then their sum."""
    found = list(sums)
    return [*found, sum(found)]


def _sums_by_sign(weights: Sequence[int]) -> tuple[int, int]:
    """Return the sum of the positive weights, and that of the negative ones."""
    positive = sum([weight for weight in weights if weight > 0])
    return positive, sum(weights) - positive


def indices_inside(negated: Sequence[int]) -> list[list[int]]:
    """Return the indices, kind by kind, of the n-grams whose words are all at these negated positions.

    A negated word states its negation itself, so none of that kind is inside.
    """
    inside = set(negated)
    pairs = [position - 1 for position in negated if position - 1 in inside]
    gaps = [position - 2 for position in negated if position - 2 in inside]
    triples = [index for index in gaps if index + 1 in inside]
    return [list(negated), pairs, triples, gaps, []]


def _distinct(
    slots: Sequence[int], is_known: bytes, starts: Sequence[int], negated: Sequence[Sequence[int]]
) -> tuple[list[set[int]], list[set[int]]]:
    """Return the known slots of each kind that occur outside a negation, and those that occur inside one.

    `starts` are the starts of the kinds, `negated` the indices inside negations within each kind.
    """
    known_outside = bytearray(is_known)
    inside = []
    for start, indices in zip(starts, negated, strict=True):
        inside.append({slots[start + index] for index in indices if is_known[start + index]})
        for index in indices:
            known_outside[start + index] = 0
    parts = (slice(*ends) for ends in pairwise((*starts, len(slots))))
    return [set(compress(slots[part], known_outside[part])) for part in parts], inside


def _add_by_position(codes: bytes, negated: Sequence[int], count: int) -> list[int]:
    """Add up the units of the n-grams that end at each of `count` words; the codes are in the order of `_align`."""
    totals = add_units([codes[start : start + count] for start in range(0, 4 * count, count)])
    for position, of_negated in zip(negated, units(codes[4 * count :]), strict=True):
        totals[position] += of_negated
    return totals


def _last_contrast(words: Sequence[str]) -> int:
    """Return the position of the last word such as `but`; 0 if there is none."""
    if CONTRASTS.isdisjoint(words):
        return 0
    return next(position for position in reversed(range(len(words))) if words[position] in CONTRASTS)


def _positional_sums(weights: Sequence[int], last_words: Sequence[int], first_words: Sequence[int]) -> list[int]:
    """Sum the weights by position: of the last and first words; of the highest, lowest and mean ten-word window.

    A window begins at every word; those that begin near the end are shorter.
    """
    count = len(weights)
    sums = [0, *accumulate(weights)]  # sums[n] is the sum of the first n weights
    total = sums[-1]
    last = [total - sums[max(count - words, 0)] for words in last_words]
    first = [sums[min(words, count)] for words in first_words]
    window_ends = sums[WINDOW:] + [total] * WINDOW
    windows = sorted(map(sub, window_ends, sums[:-1]))
    low, high = bisect_left(windows, -WINDOW_LIMIT), bisect_right(windows, WINDOW_LIMIT)
    limited = sum(windows[low:high]) + WINDOW_LIMIT * (count - high - low)
    return [*last, *first, windows[-1], windows[0], round(limited / count)]


def parse(content: bytes) -> NgramTable:
    """Read the content of an n-gram table's file; raises `ReleaseError` if it is incomplete or of another format."""
    header = content[:_LONGEST_HEADER].partition(b"\n\n")[0]
    tables = memoryview(content)[len(header) + 2 :]
    title, *pairs = header.decode("ascii", "replace").split("\n")
    if title != _TITLE:
        raise ReleaseError(f"The n-gram table begins with {title[:60]!r}, not with {_TITLE!r}.")
    stated = dict(pair.partition(": ")[::2] for pair in pairs)
    if stated.get("cleaner") != str(CLEANER_VERSION):
        raise ReleaseError(
            f"The n-gram table was learned for cleaner {stated.get('cleaner')!r}; this code has cleaner "
            f"{CLEANER_VERSION}."
        )
    size = len(tables) // TABLES
    if stated.get("slots") != str(size) or size * TABLES != len(tables):
        raise ReleaseError(
            f"The n-gram table states {stated.get('slots')} slots and has {len(tables):,} bytes: it was cut or edited."
        )
    return NgramTable(*(tables[part * size : (part + 1) * size] for part in range(TABLES)))


def load(path: Path) -> NgramTable:
    """Read the file of an n-gram table; raises `ReleaseError` if it is missing or incomplete."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise ReleaseError(f"The n-gram table {path} cannot be read: {error}.") from error
