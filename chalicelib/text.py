"""A review's text -> its words and sentences: the one cleaner, called in training and in serving alike.

A word is a run of the letters a-z (with inner apostrophes: `don't`), a number, a score (`7/10`), or one `!` or `?`.
Before words are read, markup becomes a space, entities and typographic letters become the plain letters they stand
for, and everything is lower case. What it does not do: stem, drop stop words, correct spelling, or know a language.

Every regular expression here is linear in the length of the text: bounded repeats, or repeats that cannot overlap
what follows them. `CLEANER_VERSION` is part of a vocabulary's fingerprint: raise it whenever any text could now give
other words, so that no model meets words it was not trained on.
"""

import re
import unicodedata
from html import unescape
from typing import NamedTuple

CLEANER_VERSION = 1

_MARKUP = re.compile(r"<[a-zA-Z/!?][^<>]{0,300}>|&#?[0-9a-zA-Z]{1,32};")
_WORD = re.compile(r"[a-z]++(?:'[a-z]++)*+|[0-9]++(?:/[0-9]++)?|[!?]")
_SENTENCE_END = re.compile(
    r"(?<![.!?\u2026])[.!?\u2026]++[\"')\]\u2019\u201d]{0,9}+(?=\s|<|$)|(?P<line_break>[\r\n]+|<br\s{0,9}/?>)",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|vs|jr|sr|prof|etc|e\.g|i\.e|[a-z])\.\Z", re.IGNORECASE)
_LONGEST_ABBREVIATION = 6  # characters looked at before a full stop
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u2032\u00b4\x91\x92"  # \x91 and \x92 are Windows-1252's, common in reviews
_DROPPED_CATEGORIES = frozenset({"Mn", "Me", "Cf"})  # accents, enclosing marks, invisible formatting


class Span(NamedTuple):
    """A stretch of a text: `text[start:end]`, counted in Unicode code points."""

    start: int
    end: int


class Word(NamedTuple):
    """A cleaned word and where it stands in the text as it was submitted (code points)."""

    text: str
    start: int
    end: int


def _fold(character: str) -> str:
    """One character -> the plain lower-case ones it stands for: `É` -> `e`, `’` -> `'`, a soft hyphen -> nothing."""
    if character in _APOSTROPHES:
        return "'"
    plain = unicodedata.normalize("NFKD", character).casefold().replace("\u2044", "/")  # the slash inside a one-half
    return "".join(part for part in plain if unicodedata.category(part) not in _DROPPED_CATEGORIES)


class _FoldTable(dict[int, str]):
    """A `str.translate` table that folds on demand; it remembers only the characters of common European text."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if code < 0x2100:  # a bound: a hostile text cannot fill the memory of a warm Lambda
            self[code] = folded
        return folded


_FOLD = _FoldTable()


def _plain_markup(match: re.Match[str]) -> str:
    """A tag -> a space; an entity -> the character it names."""
    markup = match[0]
    return " " if markup[0] == "<" else unescape(markup)


def clean(review: str) -> str:
    """Return the text that words are read from: no markup, plain letters, lower case."""
    if "<" in review or "&" in review:
        review = _MARKUP.sub(_plain_markup, review)
    return review.lower() if review.isascii() else review.translate(_FOLD)


def words(review: str) -> list[str]:
    """Return a review's words in order: `"It's <b>GREAT</b>!"` -> `["it's", "great", "!"]`."""
    return _WORD.findall(clean(review))


def located_words(review: str) -> list[Word]:
    """Return the same words as `words`, each with its place in the text as submitted."""
    pieces: list[str] = []
    sources: list[Span] = []  # for every cleaned character, the submitted characters it came from
    position = 0
    for match in _MARKUP.finditer(review):
        _fold_onto(pieces, sources, review, position, match.start())
        for character in _plain_markup(match):
            folded = character.translate(_FOLD)
            pieces.append(folded)
            sources.extend([Span(match.start(), match.end())] * len(folded))
        position = match.end()
    _fold_onto(pieces, sources, review, position, len(review))
    cleaned = "".join(pieces)
    return [
        Word(found[0], sources[found.start()].start, sources[found.end() - 1].end) for found in _WORD.finditer(cleaned)
    ]


def _fold_onto(pieces: list[str], sources: list[Span], review: str, start: int, end: int) -> None:
    """Fold `review[start:end]` character by character, noting where each cleaned character came from."""
    for position in range(start, end):
        folded = review[position].translate(_FOLD)
        if not folded and sources:  # an accent written after its letter belongs to the letter
            sources[-1] = Span(sources[-1].start, position + 1)
        pieces.append(folded)
        sources.extend([Span(position, position + 1)] * len(folded))


def sentences(review: str) -> list[Span]:
    """Return the spans of a review's sentences, without surrounding white space, in order.

    A sentence ends at `.`, `!`, `?` or an ellipsis before white space, at a line break or at `<br />`; not after an
    initial or a common abbreviation ("Mr. Smith"). Stretches that hold no word belong to no sentence.
    """
    spans: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(review):
        before = review[max(start, match.end() - _LONGEST_ABBREVIATION) : match.end()]
        if match[0] == "." and _ABBREVIATION.search(before):
            continue
        _append_sentence(spans, review, start, match.start() if match["line_break"] else match.end())
        start = match.end()
    _append_sentence(spans, review, start, len(review))
    return spans


def _append_sentence(spans: list[Span], review: str, start: int, end: int) -> None:
    """Add `review[start:end]` to the spans, trimmed, when it holds a word."""
    stretch = review[start:end]
    if _WORD.search(clean(stretch)):
        trimmed = stretch.strip()
        begin = start + stretch.index(trimmed)
        spans.append(Span(begin, begin + len(trimmed)))
