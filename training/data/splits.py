"""Who may learn from a review: five folds of train and the test, with no text in two of them.

The official test stays what it is. A fold is every fifth of 25 equal blocks of train's review numbers (for the official
set, blocks of 500): neighbouring reviews are often of one movie, so single reviews drawn at random would leak. Each
fold in turn is held out, and everything is judged and chosen on what was held out. Half a fold is what evidence is
learned without at a time (`training.evidence`). A text that two places share stays in the later one (fold 0 to 4, then
the test), and is dropped from the earlier.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from training.data.reviews import DataError, Review, read

BLOCKS = 25
FOLDS = 5
HALVES = 2  # of a fold
TEST = FOLDS  # the place after the folds


@dataclass(frozen=True)
class Splits:
    """The rule, for one file of reviews: train's numbers lie in 0..`numbers` - 1, `dropped` holds ids."""

    numbers: int
    dropped: frozenset[str]

    def of(self, review: Review) -> int | None:
        """Return a review's place, a fold 0..4 or `TEST`; None for one that is dropped."""
        return None if review.id in self.dropped else self._block(review)

    def half(self, review: Review) -> int:
        """Return the half of its fold, 0 or 1, that a review of train is in: whole blocks again."""
        return review.number * BLOCKS // self.numbers // FOLDS % HALVES

    def learns(self, review: Review) -> bool:
        """Tell whether a review is in one of the folds, and so may be learned from."""
        return review.split != "test" and review.id not in self.dropped

    def _block(self, review: Review) -> int:
        """Return a review's place, duplicates aside."""
        return TEST if review.split == "test" else review.number * BLOCKS // self.numbers % FOLDS


def assign(path: Path) -> Splits:
    """Read a file of reviews and return its splits; raises `DataError` when a fold lacks reviews of either label."""
    numbers = 1 + max((review.number for review in read(path) if review.split == "train"), default=0)
    rule = Splits(numbers, frozenset())
    last: dict[bytes, int] = {}  # text -> the last place that holds it
    places: list[tuple[str, bytes, int]] = []
    for review in read(path):
        place = rule._block(review)
        places.append((review.id, review.text_digest, place))
        last[review.text_digest] = max(place, last.get(review.text_digest, 0))
    splits = Splits(numbers, frozenset(id_ for id_, digest, place in places if place < last[digest]))
    filled = {(splits.of(review), review.label) for review in read(path)}
    if not {(fold, label) for fold in range(FOLDS) for label in (0, 1)} <= filled:
        raise DataError(f"{path} holds too few reviews to set some of each label apart, five times over.")
    return splits


def thinned(path: Path, splits: Splits, reviews: int) -> Splits:
    """Return splits whose folds have so many reviews at most in all, drawn by their ids alone: always the same ones."""
    ids = [review.id for review in read(path) if splits.learns(review)]
    ids.sort(key=lambda id_: hashlib.sha256(id_.encode()).digest())
    return replace(splits, dropped=splits.dropped.union(ids[reviews:]))


def limited(path: Path, reviews: int | None) -> Splits:
    """Return the splits that a run was made with, whose recipe may allow so many reviews at most (None: all)."""
    splits = assign(path)
    return splits if reviews is None else thinned(path, splits, reviews)
