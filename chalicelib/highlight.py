"""A review and what moved its verdict -> the stretches of text that a page shades and marks.

Offsets are code points of the submitted text. Sentences and words may come overlapping, adjacent or past the end:
the earlier one keeps what two of them claim, and nothing of the text is ever lost or shown twice.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STRONGEST_LEVEL = 4

Part = Mapping[str, Any]  # a sentence or a word of an answer, with whatever else the page needs


@dataclass(frozen=True)
class Piece:
    """A run of text inside one stretch; `word` is the word that it is a place of, if any."""

    text: str
    word: Part | None


@dataclass(frozen=True)
class Stretch:
    """A sentence, or the text between sentences (`sentence` is None), cut into pieces."""

    sentence: Part | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class _Claim:
    """A part's claim to `text[start:end]`; None claims what no part does."""

    start: int
    end: int
    part: Part | None


def level(effect: float, strongest: float) -> int:
    """Return how strong an effect is beside the strongest, 1 to 4."""
    share = abs(effect) / strongest if strongest else 0.0
    return min(max(math.ceil(share * STRONGEST_LEVEL), 1), STRONGEST_LEVEL)


def stretches(text: str, sentences: Sequence[Part], words: Sequence[Part]) -> list[Stretch]:
    """Cut a text into sentences and what lies between, each into marked words and what lies between.

    A sentence has `start` and `end`; a word has `places`, each with a `start` and an `end`. The texts of all pieces,
    joined, are the text.
    """
    places = [_Claim(place["start"], place["end"], word) for word in words for place in word["places"]]
    marked = _partition(0, len(text), places)
    claimed = _partition(0, len(text), [_Claim(each["start"], each["end"], each) for each in sentences])
    cut: list[Stretch] = []
    first = 0
    for claim in claimed:
        while marked[first].end <= claim.start:
            first += 1
        cut.append(Stretch(claim.part, tuple(_pieces(text, claim, marked, first))))
    return cut


def _pieces(text: str, within: _Claim, marked: Sequence[_Claim], first: int) -> Iterable[Piece]:
    """Yield the pieces of one stretch, `marked[first]` being the first claim that reaches into it."""
    for position in range(first, len(marked)):
        claim = marked[position]
        if claim.start >= within.end:
            return
        yield Piece(text[max(claim.start, within.start) : min(claim.end, within.end)], claim.part)


def _partition(start: int, end: int, claims: Iterable[_Claim]) -> list[_Claim]:
    """Cover `start:end` from left to right without gaps or overlaps: the claims as far as there is room, and None."""
    covering: list[_Claim] = []
    position = start
    for claim in sorted(claims, key=lambda each: (each.start, each.end)):
        begin, finish = max(claim.start, position), min(claim.end, end)
        if begin >= finish:
            continue
        if begin > position:
            covering.append(_Claim(position, begin, None))
        covering.append(_Claim(begin, finish, claim.part))
        position = finish
    if position < end:
        covering.append(_Claim(position, end, None))
    return covering
