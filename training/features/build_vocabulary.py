"""Chooses the vocabulary: the words that are in most of the reviews that may be learned from, whatever their label."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.text import words
from chalicelib.vocabulary import Vocabulary
from training.data.reviews import DataError, Review
from training.data.splits import Splits
from training.parallel import map_reviews
from training.progress import ProgressCallback, silent

WORDS = 6_000
LEAST_REVIEWS = 5  # a word occurs in at least so many


@dataclass
class Occurrence:
    """In how many reviews of each label a word occurs, and how many reviews there are: [negative, positive]."""

    words: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    reviews: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, other: "Occurrence") -> None:
        """Add what was counted in other reviews."""
        for label in (0, 1):
            self.words[label].update(other.words[label])
            self.reviews[label] += other.reviews[label]


def count_words(path: Path, splits: Splits, tick: ProgressCallback = silent) -> Occurrence:
    """Count the words of the reviews that may be learned from."""
    counted = Occurrence()
    for part in map_reviews(_count, path, splits, tick):
        counted.add(part)
    return counted


def _count(splits: Splits, reviews: Iterator[Review]) -> Occurrence:
    """Count the words of a stretch of reviews, once a review."""
    found = Occurrence()
    for review in reviews:
        if splits.learns(review):
            found.words[review.label].update(set(words(review.text)))
            found.reviews[review.label] += 1
    return found


def choose(counted: Occurrence, size: int = WORDS) -> Vocabulary:
    """Choose the most frequent words and weigh each by its log-odds; raises `DataError` when none is frequent."""
    negative, positive = counted.words
    total = {word: negative[word] + positive[word] for word in negative.keys() | positive.keys()}
    frequent = sorted((word for word in total if total[word] >= LEAST_REVIEWS), key=lambda word: (-total[word], word))
    if not frequent:
        raise DataError(f"No word occurs in {LEAST_REVIEWS} reviews of train: there are too few to learn from.")
    chosen = sorted(frequent[:size])
    return Vocabulary(chosen, [_log_odds(counted, word) for word in chosen])


def _log_odds(counted: Occurrence, word: str) -> float:
    """Return the smoothed log-odds of positive against negative reviews that hold a word."""
    negative, positive = (math.log((counted.words[label][word] + 1) / counted.reviews[label]) for label in (0, 1))
    return positive - negative
