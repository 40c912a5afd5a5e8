"""The cleaner from a review's text to words and sentences, used by both training and serving.

A word is a run of the letters a-z (with inner apostrophes: `don't`), a number, a rating (`7/10`), an emoticon (`:)`,
`;)` or `:(`), or a single `!` or `?`. Markup is replaced by white space, entities and typographic letters by plain
letters, upper case by lower case, and written ratings and emoji by their words (`written_forms`). A written `\\n`, as
in many CSV files, is a line break. There is no stemming, no list of stop words, and no spelling correction. Only the
first 20,000 characters of a review are read, in training, evaluation and serving alike.

Every regular expression takes time linear in the length of the text: its repeats are bounded, or cannot overlap what
follows them. `CLEANER_VERSION` is part of the fingerprint: increment it whenever any text could give other words, so
that no model is sent words it was not trained on.
"""

import re
import unicodedata
from functools import lru_cache
from html import unescape
from typing import NamedTuple

from chalicelib.written_forms import FORMS, WORD_OF_SYMBOL, Form

CLEANER_VERSION = 2
MAX_REVIEW_LENGTH = 20_000  # characters; the rest is ignored

_MARKUP = re.compile(r"<[a-zA-Z/!?][^<>]{0,300}>|&#?[0-9a-zA-Z]{1,32};|\\\\{0,3}[nrt'\"]")  # \n and \' of bad CSV files
_WORD = re.compile(
    r"([a-z]++(?:'[a-z]++)*+|[0-9]++(?:/[0-9]++)*+|[!?]|[:;]\)|:\((?![a-z0-9]))"
    r"[^a-z0-9!?:;]*+"  # what is between words is found a third faster as a part of the match
)
_EMOTICON = rf"(?:[:;=]'?-?[)(D](?!\w)|[{''.join(WORD_OF_SYMBOL)}]\ufe0f?)"
_SENTENCE_END = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]++[\"')\]\u2019\u201d]{{0,9}}+(?: ?{_EMOTICON}){{0,5}}+(?=\s|<|$|\\{{1,4}}[nr])"
    r"|(?P<line_break>[\r\n]+|<br\s{0,9}/?>|\\{1,4}[nr])",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|vs|jr|sr|prof|etc|e\.g|i\.e|[a-z])\.\Z", re.IGNORECASE)
_LONGEST_ABBREVIATION = 6  # characters to search before a full stop
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u2032\u00b4\x91\x92"  # \x91 and \x92 are Windows-1252's, common in reviews
_DROPPED_CATEGORIES = frozenset({"Mn", "Me", "Cf"})  # accents, enclosing marks, invisible formatting


class Span(NamedTuple):
    """A span of a text: `text[start:end]`, in Unicode code points."""

    start: int
    end: int


class Word(NamedTuple):
    """A cleaned word, and its position in the submitted text (code points)."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=1024)  # some characters fold into eighteen
def _fold(character: str) -> str:
    """Return the plain lower-case form of a character: `É` -> `e`, `’` -> `'`, a soft hyphen -> `""`."""
    if character in _APOSTROPHES:
        return "'"
    if character in WORD_OF_SYMBOL:
        return WORD_OF_SYMBOL[character]
    plain = unicodedata.normalize("NFKD", character).casefold()
    if "\u2044" in plain:  # the slash inside a one-half, which may stand after a digit
        plain = " " * (plain[0] != "\u2044") + plain.replace("\u2044", "/")
    return "".join(part for part in plain if unicodedata.category(part) not in _DROPPED_CATEGORIES)


class _FoldTable(dict[int, str]):
    """A `str.translate` table that is filled on demand; it caches only the characters of common European text."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if code < 0x2100:  # a limit, so that hostile text cannot fill the memory of a warm Lambda
            self[code] = folded
        return folded


_FOLD = _FoldTable()


def _plain_markup(match: re.Match[str]) -> str:
    """Return the replacement of markup: white space for a tag or a written line break, the character for an entity."""
    markup = match[0]
    if markup[0] == "<":
        return "\n" if markup[1:3] in ("br", "BR") else " "
    if markup[0] == "\\":
        return markup[-1] if markup[-1] in "'\"" else "\n"
    return unescape(markup)


def _has_markup(review: str) -> bool:
    """Return whether a review may have markup."""
    return "<" in review or "&" in review or "\\" in review


def clean(review: str) -> str:
    """Return a review in lower case and plain letters, with one form for each rating and emoticon, without markup."""
    if _has_markup(review):
        review = _MARKUP.sub(_plain_markup, review)
    text = review.lower() if review.isascii() else review.translate(_FOLD)
    for form in FORMS:
        start = form.start(text)
        if start >= 0:
            text = text[:start] + form.pattern.sub(form.plain, text[start:])
    return text


def cut(review: str) -> str:
    """Return the part of a review that is read: its first `MAX_REVIEW_LENGTH` characters."""
    return review[:MAX_REVIEW_LENGTH]


def words(review: str) -> list[str]:
    """Return a review's words in order: `"It's <b>GREAT</b>! 4/5"` -> `["it's", "great", "!", "8/10"]`.

    Only the part that `cut` returns is read, so that a text has the same row wherever it is encoded.
    """
    return _WORD.findall(clean(cut(review)))


def located_words(review: str) -> list[Word]:
    """Return the same words as `words`, each with its position in the submitted text."""
    review = cut(review)
    if review.isascii() and not _has_markup(review):  # folding keeps every position
        text, sources = review.lower(), None
    else:
        text, sources = _fold_located(review)
    for form in FORMS:
        start = form.start(text)
        if start >= 0:
            sources = sources or [Span(at, at + 1) for at in range(len(text))]
            text, sources = _replace_located(form, text, sources, start)
    found = _WORD.finditer(text)
    if sources is None:
        return [Word(word[1], *word.span(1)) for word in found]
    return [Word(word[1], sources[word.start(1)].start, sources[word.end(1) - 1].end) for word in found]


def _fold_located(review: str) -> tuple[str, list[Span]]:
    """Return a review without markup in plain letters, and for each character its span of the review."""
    pieces: list[str] = []
    sources: list[Span] = []
    position = 0
    for match in _MARKUP.finditer(review):
        _fold_onto(pieces, sources, review, position, match.start())
        for character in _plain_markup(match):
            folded = character.translate(_FOLD)
            pieces.append(folded)
            sources.extend([Span(match.start(), match.end())] * len(folded))
        position = match.end()
    _fold_onto(pieces, sources, review, position, len(review))
    return "".join(pieces), sources


def _fold_onto(pieces: list[str], sources: list[Span], review: str, start: int, end: int) -> None:
    """Append the folded characters of `review[start:end]` to `pieces`, and the span of each to `sources`."""
    for position in range(start, end):
        folded = review[position].translate(_FOLD)
        if not folded and sources:  # a combining accent belongs to the letter before it
            sources[-1] = Span(sources[-1].start, position + 1)
        pieces.append(folded)
        sources.extend([Span(position, position + 1)] * len(folded))


def _replace_located(form: Form, text: str, sources: list[Span], start: int) -> tuple[str, list[Span]]:
    """Replace a family's forms after `start`; each character of a replacement has the span of the whole form."""
    pieces: list[str] = []
    replaced: list[Span] = []
    position = 0
    for match in form.pattern.finditer(text[start:]):
        plain, begin, end = form.plain(match), start + match.start(), start + match.end()
        if plain == match[0]:
            continue
        pieces += [text[position:begin], plain]
        replaced += sources[position:begin]
        replaced += [Span(sources[begin].start, sources[end - 1].end)] * len(plain)
        position = end
    return "".join([*pieces, text[position:]]), replaced + sources[position:]


def sentences(review: str) -> list[Span]:
    """Return the spans of a review's sentences, without surrounding white space, in order.

    A sentence ends at `.`, `!`, `?` or an ellipsis before white space, at a line break or at `<br />`; not after an
    initial or a common abbreviation ("Mr. Smith"). Text without a word belongs to no sentence.
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
    """Append the trimmed span of `review[start:end]` if it has a word."""
    text = review[start:end]
    if _WORD.search(clean(text)):
        trimmed = text.strip()
        begin = start + text.index(trimmed)
        spans.append(Span(begin, begin + len(trimmed)))
