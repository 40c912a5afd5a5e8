"""The division of a review into segments: sentences, and the words in them that the page underlines.

Offsets are code points of the submitted text. Sentences and words may overlap or extend past the end: an overlap
belongs to the earlier part, and every character is in exactly one segment.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from chalicelib.explanation import InfluentialWord, Sentence

STRONGEST_LEVEL = 4

Part = TypeVar("Part", Sentence, InfluentialWord)


@dataclass(frozen=True)
class Piece:
    """A run of text inside one segment; `word` is the influential word that it is an occurrence of, if any."""

    text: str
    word: InfluentialWord | None


@dataclass(frozen=True)
class Segment:
    """A sentence, or the text between two sentences (`sentence` is None), in pieces."""

    sentence: Sentence | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class _Interval(Generic[Part]):
    """`text[start:end]` and the part that it belongs to, if any."""

    start: int
    end: int
    part: Part | None


def level(effect: float, strongest: float) -> int:
    """Return the strength of an effect relative to the strongest, 1 to 4."""
    share = abs(effect) / strongest if strongest else 0.0
    return min(max(math.ceil(share * STRONGEST_LEVEL), 1), STRONGEST_LEVEL)


def divide(text: str, sentences: Sequence[Sentence], words: Sequence[InfluentialWord]) -> list[Segment]:
    """Divide a text into segments, and each into pieces; the joined texts of all pieces are the text."""
    of_words = _cover(len(text), [_Interval(place.start, place.end, word) for word in words for place in word.places])
    of_sentences = _cover(len(text), [_Interval(each.start, each.end, each) for each in sentences])
    segments: list[Segment] = []
    first = 0
    for interval in of_sentences:
        while of_words[first].end <= interval.start:
            first += 1
        segments.append(Segment(interval.part, tuple(_pieces(text, interval, of_words, first))))
    return segments


def _pieces(
    text: str, segment: _Interval[Sentence], of_words: Sequence[_Interval[InfluentialWord]], first: int
) -> Iterable[Piece]:
    """Yield the pieces of a segment; `of_words[first]` is the first interval that overlaps it."""
    for position in range(first, len(of_words)):
        interval = of_words[position]
        if interval.start >= segment.end:
            return
        yield Piece(text[max(interval.start, segment.start) : min(interval.end, segment.end)], interval.part)


def _cover(length: int, intervals: Iterable[_Interval[Part]]) -> list[_Interval[Part]]:
    """Return intervals that cover `0:length` without gaps or overlaps; those between the given ones have no part."""
    covering: list[_Interval[Part]] = []
    position = 0
    for interval in sorted(intervals, key=lambda each: (each.start, each.end)):
        start, end = max(interval.start, position), min(interval.end, length)
        if start >= end:
            continue
        if start > position:
            covering.append(_Interval(position, start, None))
        covering.append(_Interval(start, end, interval.part))
        position = end
    if position < length:
        covering.append(_Interval(position, length, None))
    return covering
