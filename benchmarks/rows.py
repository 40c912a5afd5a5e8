"""From a review to the row that is sent: how long that takes, and how many bytes it is."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from benchmarks.comparison import Comparison, in_turns
from benchmarks.tutorial import row_of
from chalicelib.encoder import Encoder
from chalicelib.text import words

LARGEST_TIME_RATIO = 1.25  # a row carries evidence of all its terms; the tutorial's has counts alone
LARGEST_BYTES_RATIO = 1 / 6


def measure(reviews: Sequence[str], encoder: Encoder, column_of: Mapping[str, int], rounds: int) -> list[Comparison]:
    """Make the rows of all reviews in turns; returns for each review the bytes of its row and its milliseconds.

    The milliseconds are the least of all rounds, and of processor time, since nothing is waited for.
    """

    def ours(review: str) -> str:
        return encoder.row(words(review))

    def theirs(review: str) -> str:
        return row_of(review, column_of)

    contestants = {"ours": lambda: _each(ours, reviews), "theirs": lambda: _each(theirs, reviews)}
    in_turns(contestants, 1)  # warm
    spent = in_turns(contestants, rounds)
    sizes = {make: tuple(float(len(make(review).encode())) for review in reviews) for make in (ours, theirs)}
    return [
        Comparison("review to row", "ms", _least(spent["ours"]), _least(spent["theirs"]), LARGEST_TIME_RATIO),
        Comparison("row", "bytes", sizes[ours], sizes[theirs], LARGEST_BYTES_RATIO),
    ]


def _each(make: Callable[[str], str], reviews: Sequence[str]) -> list[float]:
    """Return the milliseconds that making each row took."""
    clock = [time.thread_time()]
    for review in reviews:
        make(review)
        clock.append(time.thread_time())
    return [(end - start) * 1000 for start, end in pairwise(clock)]


def _least(rounds: Sequence[list[float]]) -> tuple[float, ...]:
    """Return for each review the least of all rounds."""
    return tuple(map(min, zip(*rounds, strict=True)))
