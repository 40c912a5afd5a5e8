"""The encoding of a review as a row: its time and its size in bytes."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from benchmarks.comparison import Comparison, measure_in_turns
from benchmarks.tutorial import row_of
from chalicelib.encoder import Encoder
from chalicelib.text import words

LARGEST_TIME_RATIO = 1.25  # a row has n-gram features; the tutorial's has only counts
LARGEST_BYTES_RATIO = 1 / 6


def measure(reviews: Sequence[str], encoder: Encoder, column_of: Mapping[str, int], rounds: int) -> list[Comparison]:
    """Encode all reviews in turns; compares the milliseconds and the bytes of each review's row.

    The milliseconds are of processor time, as encoding waits for nothing, and the minimum of all rounds.
    """

    def ours(review: str) -> str:
        return encoder.row(words(review))

    def theirs(review: str) -> str:
        return row_of(review, column_of)

    contestants = {"ours": lambda: _each(ours, reviews), "theirs": lambda: _each(theirs, reviews)}
    measure_in_turns(contestants, 1)  # warm-up
    spent = measure_in_turns(contestants, rounds)
    sizes = {encode: tuple(float(len(encode(review).encode())) for review in reviews) for encode in (ours, theirs)}
    return [
        Comparison("review to row", "ms", _minima(spent["ours"]), _minima(spent["theirs"]), LARGEST_TIME_RATIO),
        Comparison("row", "bytes", sizes[ours], sizes[theirs], LARGEST_BYTES_RATIO),
    ]


def _each(encode: Callable[[str], str], reviews: Sequence[str]) -> list[float]:
    """Return the milliseconds that encoding each review took."""
    clock = [time.thread_time()]
    for review in reviews:
        encode(review)
        clock.append(time.thread_time())
    return [(end - start) * 1000 for start, end in pairwise(clock)]


def _minima(rounds: Sequence[list[float]]) -> tuple[float, ...]:
    """Return the minimum of all rounds for each review."""
    return tuple(map(min, zip(*rounds, strict=True)))
