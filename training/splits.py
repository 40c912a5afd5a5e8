"""Who may learn from a review: train, validation and test, with no text in two of them.

The official test stays what it is. Validation is every fifth of 25 equal blocks of train's review numbers (for the
official set, blocks of 500): neighbouring reviews are often of one movie, so single reviews drawn at random would
leak. A text that two splits share stays in the later of train, validation, test, and is dropped from the earlier.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from training.reviews import DataError, Review, read

BLOCKS = 25
HELD_OUT = 5  # every fifth block
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """The rule, for one file of reviews: train's numbers lie in 0..`numbers` - 1, `dropped` holds ids."""

    numbers: int
    dropped: frozenset[str]

    def of(self, review: Review) -> str | None:
        """Return the name of a review's split; None for one that is dropped."""
        return None if review.id in self.dropped else self._block(review)

    def _block(self, review: Review) -> str:
        """Return the name of a review's split, duplicates aside."""
        if review.split == "test":
            return "test"
        block = review.number * BLOCKS // self.numbers
        return "validation" if block % HELD_OUT == HELD_OUT - 1 else "train"


def assign(path: Path) -> Splits:
    """Read a file of reviews and return its splits; raises `DataError` when there are too few for a validation."""
    numbers = 1 + max((review.number for review in read(path) if review.split == "train"), default=0)
    rule = Splits(numbers, frozenset())
    last: dict[bytes, int] = {}  # text -> the last split that holds it
    places: list[tuple[str, bytes, int]] = []
    for review in read(path):
        place = SPLITS.index(rule._block(review))
        places.append((review.id, review.text_digest, place))
        last[review.text_digest] = max(place, last.get(review.text_digest, 0))
    if not {SPLITS.index("train"), SPLITS.index("validation")} <= set(last.values()):
        raise DataError(f"{path} holds too few reviews to set some apart for validation.")
    return Splits(numbers, frozenset(id_ for id_, digest, place in places if place < last[digest]))


def thinned(path: Path, splits: Splits, reviews: int) -> Splits:
    """Return splits whose train has so many reviews at most, drawn by their ids alone: always the same ones."""
    ids = [review.id for review in read(path) if splits.of(review) == "train"]
    ids.sort(key=lambda id_: hashlib.sha256(id_.encode()).digest())
    return replace(splits, dropped=splits.dropped.union(ids[reviews:]))
