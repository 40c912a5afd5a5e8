"""Words -> a bag of words -> a libsvm row: the one encoder, called in training and in serving alike.

A term is one to three neighbouring words. A row names the terms that occur in a review, once each, between two
constant columns: `0:1`, then `column:1` for every term that occurs (columns 1..N in the order of the vocabulary),
then `N+1:1`. Columns that are not named are missing, which is not zero: see docs/architecture.md for the constants
and for what goes wrong without them.

The vocabulary file is made to be read: a short header, a blank line, then a term a line with its weight, the
smoothed log-odds of positive against negative reviews that hold the term (natural logarithm; above 0 speaks for
positive). Rows do not depend on the weights. What this module does not do: choose terms (`training.features`).
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from chalicelib.errors import ReleaseError
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 1
LONGEST_TERM = 3  # words
ENCODING = f"presence of 1-{LONGEST_TERM} words, libsvm, constant first and last column"
FINGERPRINT_LENGTH = 12  # hexadecimal digits; an endpoint's name carries them

_TITLE = f"Verdict vocabulary, format {FORMAT_VERSION}"
_TERM_LINE = re.compile(r"(\S+(?: \S+){0,2})\t([+-]\d+\.\d\d)")


class Vocabulary:
    """An ordered set of terms, each with its column in a row.

    `weights` are log-odds, one a term. Raises `ReleaseError` for no terms, a duplicate, or lengths that differ.
    """

    def __init__(self, terms: Sequence[str], weights: Sequence[float]) -> None:
        self.terms = tuple(terms)
        self.weights = tuple(weights)
        self._column_of = dict(zip(self.terms, range(1, len(self.terms) + 1), strict=True))  # term -> column, 1..N
        if not self.terms:
            raise ReleaseError("The vocabulary holds no terms.")
        if len(self._column_of) != len(self.terms):
            raise ReleaseError("The vocabulary names a term twice.")
        if len(self.weights) != len(self.terms):
            raise ReleaseError(f"The vocabulary has {len(self.terms)} terms but {len(self.weights)} weights.")
        self.last_column = len(self.terms) + 1  # the closing constant; a row has last_column + 1 columns

    def __len__(self) -> int:
        return len(self.terms)

    def __contains__(self, term: str) -> bool:
        return term in self._column_of

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits over all that decides a row: cleaner version, encoding and terms."""
        contract = "\n".join([str(CLEANER_VERSION), ENCODING, *self.terms])
        return hashlib.sha256(contract.encode()).hexdigest()[:FINGERPRINT_LENGTH]

    @cached_property
    def _openings(self) -> frozenset[str]:
        """The pairs of words that a term of three begins with: no other pair is worth a look at its third word."""
        return frozenset(term.rpartition(" ")[0] for term in self.terms if term.count(" ") == LONGEST_TERM - 1)

    def known_share(self, words: Sequence[str]) -> float:
        """Return the share (0..1) of a review's words that are terms by themselves; 0.0 for no words."""
        return sum(map(self._column_of.__contains__, words)) / len(words) if words else 0.0

    def columns(self, words: Sequence[str]) -> list[int]:
        """Return the sorted columns (1..N) of the terms that occur in a review's words, without the constants."""
        pairs = list(map(" ".join, pairwise(words)))
        openings = self._openings
        triples = [f"{pair} {word}" for pair, word in zip(pairs, words[2:], strict=False) if pair in openings]
        found = map(self._column_of.get, [*words, *pairs, *triples])
        return sorted(set(filter(None, found)))  # no column is 0

    def row(self, words: Sequence[str]) -> str:
        """Return the libsvm row of a review's words: `"0:1 17:1 4031:1 20001:1"`."""
        return self.format_row(self.columns(words))

    def format_row(self, columns: Iterable[int]) -> str:
        """Return the libsvm row that names these term columns (sorted, 1..N) between the constants."""
        named = (0, *columns, self.last_column)
        return ("%d:1 " * len(named) % named)[:-1]

    def weight(self, term: str) -> float:
        """Return a term's log-odds; 0.0 for a term that is not in the vocabulary."""
        column = self._column_of.get(term)
        return 0.0 if column is None else self.weights[column - 1]

    def dumps(self) -> str:
        """Return the text of the vocabulary file."""
        header = [_TITLE, f"cleaner: {CLEANER_VERSION}", f"encoding: {ENCODING}", f"terms: {len(self)}", ""]
        lines = [f"{term}\t{weight:+.2f}" for term, weight in zip(self.terms, self.weights, strict=True)]
        return "\n".join([*header, *lines, ""])


def parse(text: str) -> Vocabulary:
    """Read the text of a vocabulary file; raises `ReleaseError` naming the line that is wrong."""
    header, _, body = text.partition("\n\n")
    title, *pairs = header.split("\n")
    if title != _TITLE:
        raise ReleaseError(f"The vocabulary file begins with {title[:60]!r}, not with {_TITLE!r}.")
    stated = dict(pair.partition(": ")[::2] for pair in pairs)
    expected = {"cleaner": str(CLEANER_VERSION), "encoding": ENCODING}
    for key, value in expected.items():
        if stated.get(key) != value:
            raise ReleaseError(
                f"The vocabulary was built for {key} {stated.get(key)!r}; this code has {key} {value!r}."
            )
    lines = body.count("\n")
    if not body.endswith("\n") or stated.get("terms") != str(lines):
        raise ReleaseError(
            f"The vocabulary file states {stated.get('terms')} terms and holds {lines}: it was cut or edited."
        )
    return _from_body(body, first_line_number=header.count("\n") + 3)


def _from_body(body: str, first_line_number: int) -> Vocabulary:
    """Read the term lines all at once, since a cold start waits for it; the number of the first is for messages."""
    fields = body[:-1].replace("\n", "\t").split("\t")
    terms, stated = fields[0::2], fields[1::2]
    try:
        weight_of = {text: float(text) for text in set(stated)}  # a few hundred different ones
        return Vocabulary(terms, [weight_of[text] for text in stated])
    except (ValueError, ReleaseError):
        for number, line in enumerate(body[:-1].split("\n"), start=first_line_number):
            if not _TERM_LINE.fullmatch(line):
                raise ReleaseError(
                    f"Vocabulary line {number} is not a term, a tab and a weight: {line[:60]!r}."
                ) from None
        raise


def load(path: Path) -> Vocabulary:
    """Read a vocabulary file (UTF-8); raises `ReleaseError` when it is absent, unreadable or not whole."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"The vocabulary file {path} cannot be read: {error}.") from error
