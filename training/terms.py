"""Chooses the vocabulary's terms from the reviews of the train split alone.

First the most frequent single words, so that "known words" means something to whoever reads an answer; then, of all
other terms of one to three words, those that tell positive from negative best by chi-squared of their presence.
Longer terms are only counted when the shorter ones in them are frequent (Apriori), which keeps memory small.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from chalicelib.text import words
from chalicelib.vocabulary import LONGEST_TERM, Vocabulary
from training.parallel import map_reviews
from training.progress import Tick, silent
from training.reviews import DataError, Review
from training.splits import Splits

TERMS = 20_000
FREQUENT_WORDS = 6_000
LEAST_REVIEWS = 5  # a term occurs in at least so many


@dataclass
class Occurrence:
    """In how many reviews of each label a term occurs, and how many reviews there are: [negative, positive]."""

    terms: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    reviews: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, other: "Occurrence") -> None:
        """Add what was counted in other reviews."""
        for label in (0, 1):
            self.terms[label].update(other.terms[label])
            self.reviews[label] += other.reviews[label]

    def drop_rare(self) -> None:
        """Forget the terms that occur in fewer than `LEAST_REVIEWS`."""
        negative, positive = self.terms
        for term in negative.keys() | positive.keys():
            if negative[term] + positive[term] < LEAST_REVIEWS:
                negative.pop(term, None)
                positive.pop(term, None)


def count_terms(path: Path, splits: Splits, tick: Tick = silent) -> Occurrence:
    """Count the terms of the train split that are in at least `LEAST_REVIEWS` reviews."""
    counted = Occurrence()
    frequent: frozenset[str] = frozenset()
    for length in range(1, LONGEST_TERM + 1):
        found = Occurrence()
        for part in map_reviews(_count_length, path, (length, frequent, splits), _third(tick, length)):
            found.add(part)
        found.drop_rare()
        frequent = frozenset(found.terms[0].keys() | found.terms[1].keys())
        counted.add(Occurrence(found.terms))
        counted.reviews = found.reviews
    return counted


def _third(tick: Tick, length: int) -> Tick:
    """Make the `Tick` of one length out of the `Tick` of all."""

    def tick_third(done: int, total: int, seen: str = "") -> None:
        tick(total * (length - 1) + done, total * LONGEST_TERM, seen or f"{length} of {LONGEST_TERM} words")

    return tick_third


def _count_length(shared: tuple[int, frozenset[str], Splits], reviews: Iterator[Review]) -> Occurrence:
    """Count the terms of one length in a stretch of reviews, given the frequent terms that are one word shorter."""
    length, frequent, splits = shared
    found = Occurrence()
    for review in reviews:
        if splits.of(review) == "train":
            found.terms[review.label].update(set(_candidates(words(review.text), length, frequent)))
            found.reviews[review.label] += 1
    return found


def _candidates(review_words: list[str], length: int, frequent: frozenset[str]) -> Iterator[str]:
    """Yield the terms of one length whose shorter parts, all but its last word and all but its first, are frequent.

    `(["a", "bad", "film"], 2, {"a", "bad"})` -> `"a bad"`.
    """
    if length == 1:
        yield from review_words
        return
    starts = range(len(review_words) - length + 2)
    shorter = (" ".join(review_words[start : start + length - 1]) for start in starts)
    for (before, after), last in zip(pairwise(shorter), review_words[length - 1 :], strict=False):
        if before in frequent and after in frequent:
            yield f"{before} {last}"


def choose(counted: Occurrence, size: int = TERMS, frequent_words: int = FREQUENT_WORDS) -> Vocabulary:
    """Choose the terms and weigh each by its log-odds; raises `DataError` when no term is frequent enough."""
    negative, positive = counted.terms
    total = {term: negative[term] + positive[term] for term in negative.keys() | positive.keys()}
    if not total:
        raise DataError(f"No word occurs in {LEAST_REVIEWS} reviews of train: there are too few to learn from.")
    single = sorted((term for term in total if " " not in term), key=lambda term: (-total[term], term))
    chosen = set(single[:frequent_words])
    share = counted.reviews[1] / sum(counted.reviews)
    others = sorted(total.keys() - chosen, key=lambda term: (-_chi_squared(positive[term], total[term], share), term))
    terms = sorted(chosen.union(others[: size - len(chosen)]))
    return Vocabulary(terms, [_log_odds(counted, term) for term in terms])


def _chi_squared(positive: int, total: int, share: float) -> float:
    """Return how far a term's presence in positive reviews is from their share of all reviews."""
    expected = total * share
    difference = (positive - expected) ** 2
    return difference / expected + difference / (total - expected)


def _log_odds(counted: Occurrence, term: str) -> float:
    """Return the smoothed log-odds of positive against negative reviews that hold a term."""
    negative, positive = (math.log((counted.terms[label][term] + 1) / counted.reviews[label]) for label in (0, 1))
    return positive - negative
