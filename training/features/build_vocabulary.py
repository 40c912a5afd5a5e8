"""The choice of vocabulary: the words that occur in the most training reviews, whatever their labels.

Also the choice of adjectives of praise and blame, for the templates of `training.data.templates`.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from chalicelib.vocabulary import Vocabulary
from training.data.reviews import DataError

WORDS = 6_000
MIN_REVIEWS = 5  # a word must occur in at least this many
ADJECTIVES = 60  # of praise, and of blame
MIN_INTENSIFIED = 12  # occurrences of an adjective after an intensifier
MIN_INTENSIFIED_SHARE = 0.02  # of the reviews that contain it
INTENSIFIERS = frozenset(("very", "so", "too", "extremely", "incredibly", "absolutely"))


@dataclass
class WordCounts:
    """The number of reviews that contain each word, and of reviews in all: [negative, positive].

    `intensified` counts the occurrences of each word after one such as "very".
    """

    words: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    reviews: list[int] = field(default_factory=lambda: [0, 0])
    intensified: Counter[str] = field(default_factory=Counter)

    def count(self, label: int, words: list[str]) -> None:
        """Count the words of a review, each once."""
        self.words[label].update(set(words))
        self.intensified.update(word for before, word in pairwise(words) if before in INTENSIFIERS)
        self.reviews[label] += 1

    def add(self, other: "WordCounts") -> None:
        """Add the counts of other reviews."""
        for label in (0, 1):
            self.words[label].update(other.words[label])
            self.reviews[label] += other.reviews[label]
        self.intensified.update(other.intensified)


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


def adjectives(counts: WordCounts) -> tuple[list[str], list[str]]:
    """Return the most positive and the most negative words among those that often follow one such as "very"."""
    negative, positive = counts.words
    weights = {
        word: _log_odds(counts, word)
        for word, count in counts.intensified.items()
        if count >= max(MIN_INTENSIFIED, MIN_INTENSIFIED_SHARE * (negative[word] + positive[word])) and word.isalpha()
    }
    ranked = sorted(weights, key=lambda word: (weights[word], word))
    blame, praise = ranked[:ADJECTIVES], ranked[::-1][:ADJECTIVES]
    return [word for word in praise if weights[word] > 0], [word for word in blame if weights[word] < 0]
