"""The choice of vocabulary: the words that occur in the most training reviews, whatever their labels."""

import math
from collections import Counter
from dataclasses import dataclass, field

from chalicelib.vocabulary import Vocabulary
from training.data.reviews import DataError

WORDS = 6_000
MIN_REVIEWS = 5  # a word must occur in at least this many


@dataclass
class WordCounts:
    """The number of reviews that contain each word, and of reviews in all: [negative, positive]."""

    words: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    reviews: list[int] = field(default_factory=lambda: [0, 0])

    def count(self, label: int, words: list[str]) -> None:
        """Count the words of a review, each once."""
        self.words[label].update(set(words))
        self.reviews[label] += 1

    def add(self, other: "WordCounts") -> None:
        """Add the counts of other reviews."""
        for label in (0, 1):
            self.words[label].update(other.words[label])
            self.reviews[label] += other.reviews[label]


def build_vocabulary(counts: WordCounts, size: int = WORDS) -> Vocabulary:
    """Choose the most frequent words, with their log-odds as weights; raises `DataError` if no word is frequent."""
    negative, positive = counts.words
    total = {word: negative[word] + positive[word] for word in negative.keys() | positive.keys()}
    frequent = sorted((word for word in total if total[word] >= MIN_REVIEWS), key=lambda word: (-total[word], word))
    if not frequent:
        raise DataError(f"No word occurs in {MIN_REVIEWS} training reviews. Collect more reviews.")
    chosen = sorted(frequent[:size])
    return Vocabulary(chosen, [_log_odds(counts, word) for word in chosen])


def _log_odds(counts: WordCounts, word: str) -> float:
    """Return the smoothed log-odds that a review with this word is positive."""
    negative, positive = (math.log((counts.words[label][word] + 1) / counts.reviews[label]) for label in (0, 1))
    return positive - negative
