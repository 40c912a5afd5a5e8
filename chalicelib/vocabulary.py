"""The vocabulary: which column of a row each word has, and the reading and writing of the vocabulary file.

The vocabulary file is for people to read too: a short header, a blank line, then one word per line with its weight, the
smoothed log-odds that a review with the word is positive (natural logarithm; above 0 means positive). Rows do not
depend on the weights. Rows are written by `encoder`, longer n-grams are in `ngram_features`, and the words are chosen
by `training.features.build_vocabulary`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from chalicelib.errors import ReleaseError
from chalicelib.text import CLEANER_VERSION

FORMAT_VERSION = 2

_TITLE = f"Verdict vocabulary, format {FORMAT_VERSION}"
_TERM_LINE = re.compile(r"(\S+)\t([+-]\d+\.\d\d)")


class Vocabulary:
    """An ordered set of words, each with its column in a row.

    `weights` are log-odds, one per word. Raises `ReleaseError` if there are no terms, a term occurs twice, or the
    lengths differ.
    """

    def __init__(self, terms: Sequence[str], weights: Sequence[float]) -> None:
        self.terms = tuple(terms)
        self.weights = tuple(weights)
        self._column_of = dict(zip(self.terms, range(1, len(self.terms) + 1), strict=True))  # term -> column, 1..N
        if not self.terms:
            raise ReleaseError("The vocabulary has no terms.")
        if len(self._column_of) != len(self.terms):
            raise ReleaseError("The vocabulary has a term twice.")
        if len(self.weights) != len(self.terms):
            raise ReleaseError(f"The vocabulary has {len(self.terms)} terms but {len(self.weights)} weights.")

    def __len__(self) -> int:
        return len(self.terms)

    def __contains__(self, term: str) -> bool:
        return term in self._column_of

    def known_share(self, words: Sequence[str]) -> float:
        """Return the share (0..1) of a review's words that are in the vocabulary; 0.0 for no words."""
        return sum(map(self._column_of.__contains__, words)) / len(words) if words else 0.0

    def columns(self, words: Sequence[str]) -> list[int]:
        """Return the sorted columns (1..N) of the words that occur in a review."""
        return sorted(filter(None, map(self._column_of.get, set(words))))  # no column is 0

    def weight(self, term: str) -> float:
        """Return a word's log-odds; 0.0 for a word that is not in the vocabulary."""
        column = self._column_of.get(term)
        return 0.0 if column is None else self.weights[column - 1]

    def dumps(self) -> str:
        """Return the text of the vocabulary file."""
        header = [_TITLE, f"cleaner: {CLEANER_VERSION}", f"terms: {len(self)}", ""]
        lines = [f"{term}\t{weight:+.2f}" for term, weight in zip(self.terms, self.weights, strict=True)]
        return "\n".join([*header, *lines, ""])


def parse(text: str) -> Vocabulary:
    """Parse the text of a vocabulary file; raises `ReleaseError` naming the wrong line."""
    header, _, body = text.partition("\n\n")
    title, *pairs = header.split("\n")
    if title != _TITLE:
        raise ReleaseError(f"The vocabulary file begins with {title[:60]!r}, not with {_TITLE!r}.")
    stated = dict(pair.partition(": ")[::2] for pair in pairs)
    if stated.get("cleaner") != str(CLEANER_VERSION):
        raise ReleaseError(
            f"The vocabulary was built for cleaner {stated.get('cleaner')!r}; this code has cleaner {CLEANER_VERSION}."
        )
    lines = body.count("\n")
    if not body.endswith("\n") or stated.get("terms") != str(lines):
        raise ReleaseError(
            f"The vocabulary file states {stated.get('terms')} terms and has {lines}: it was cut or edited."
        )
    return _from_body(body, first_line_number=header.count("\n") + 3)


def _from_body(body: str, first_line_number: int) -> Vocabulary:
    """Parse all term lines at once, for faster cold starts; the number of the first line is for error messages."""
    fields = body[:-1].replace("\n", "\t").split("\t")
    terms, stated = fields[0::2], fields[1::2]
    try:
        weight_of = {text: float(text) for text in set(stated)}  # a few hundred distinct weights
        return Vocabulary(terms, [weight_of[text] for text in stated])
    except (ValueError, ReleaseError):
        for number, line in enumerate(body[:-1].split("\n"), start=first_line_number):
            if not _TERM_LINE.fullmatch(line):
                raise ReleaseError(
                    f"Vocabulary line {number} is not a word, a tab and a weight: {line[:60]!r}."
                ) from None
        raise


def load(path: Path) -> Vocabulary:
    """Read a vocabulary file (UTF-8); raises `ReleaseError` if it is missing, unreadable or incomplete."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"The vocabulary file {path} cannot be read: {error}.") from error
