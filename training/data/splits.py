"""The splits: five folds of the training reviews and the official test, with no text in two of them.

The official test stays as it is. Reviews of one movie share its names and words, so a random draw of single reviews
would leak. Where the movies are known, a hash of the movie decides the tenth of a training review, so all reviews of a
movie, positive and negative, are in one tenth. Where they are not, neighbours are often of the same movie: a tenth is
some of 25 equal blocks of the training reviews' numbers. Two tenths are a fold. Each fold is held out once, and models
are scored on held-out reviews only; n-gram weights are learned without each tenth (`training.features.ngram_weights`).
If two places (fold 0 to 4, then the test) have the same text, it stays in the later place and is dropped from the
earlier.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from training.data.reviews import DataError, Review, id_of, read

BLOCKS = 25
FOLDS = 5
HALVES = 2  # of a fold
TENTHS = FOLDS * HALVES
TEST = FOLDS  # the place after the folds

Block = TypeVar("Block", int, npt.NDArray[np.int64])
LeftOut = int | None  # the tenth that a table of n-gram weights was learned without


def fold_of(tenth: int) -> int:
    """Return the fold that a tenth is half of: 7 -> 3."""
    return tenth // HALVES


@dataclass(frozen=True)
class Splits:
    """The splits of a file of reviews.

    `numbers` is one more than the highest number of a training review without a movie. `duplicates` are the ids dropped
    because a later place has the same text; `unused` those beyond a limit on the number of reviews.
    """

    numbers: int
    duplicates: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()

    def place_of(self, review: Review) -> int | None:
        """Return a review's place, a fold 0..4 or `TEST`; None for a dropped review."""
        return None if review.id in self.duplicates or review.id in self.unused else _place(review, self.numbers)

    def tenth_of(self, review: Review) -> int:
        """Return a training review's tenth, 0..9: half a fold, in whole movies or blocks."""
        return _tenth(review, self.numbers)

    def is_training(self, review: Review) -> bool:
        """Return whether a review is in one of the folds."""
        return self.place_of(review) not in (None, TEST)


def _tenth(review: Review, numbers: int) -> int:
    """Return a training review's tenth by its movie, or else by its block, 0..24, of numbers."""
    return _tenth_of_movie(review.movie) if review.movie else _tenth_of_block(review.number * BLOCKS // numbers)


def _tenth_of_movie(movie: str) -> int:
    """Return the tenth of a movie's reviews."""
    return int.from_bytes(hashlib.sha256(movie.encode()).digest()[:8]) % TENTHS


def _tenth_of_block(block: Block) -> Block:
    """Return the tenth of a block, or of an array of blocks."""
    return HALVES * (block % FOLDS) + block // FOLDS % HALVES


def _place(review: Review, numbers: int) -> int:
    """Return a review's place, whether or not it is a duplicate."""
    return TEST if review.split == "test" else fold_of(_tenth(review, numbers))


def assign(path: Path, limit: int | None = None) -> Splits:
    """Read a file of reviews and return its splits; raises `DataError` if a fold lacks reviews of either label.

    With a `limit`, only that many training reviews are used. They are drawn by their ids, so the same file always gives
    the same ones, and a lower limit gives a part of them.
    """
    found = _Facts.of(read(path))
    numbers = 1 + max(found.number[(found.tenth < 0) & ~found.is_test], default=0)
    place = found.places(int(numbers))
    kept = place == _last_places(found.digests, place)
    filled = set(zip(place[kept].tolist(), found.label[kept].tolist(), strict=True))
    if not {(fold, label) for fold in range(FOLDS) for label in (0, 1)} <= filled:
        raise DataError(f"{path} has too few reviews: each of {FOLDS} folds needs both labels.")
    training = set(found.ids(kept & ~found.is_test)) if limit is not None else set()
    return Splits(int(numbers), frozenset(found.ids(~kept)), frozenset(_beyond(limit, training)))


@dataclass(frozen=True)
class _Facts:
    """What decides the places of reviews, in arrays: 27 bytes for each, without its text.

    `tenth` is that of the movie, -1 without one; `split` is an index of `splits`.
    """

    splits: list[str]
    split: npt.NDArray[np.uint8]
    number: npt.NDArray[np.int64]
    label: npt.NDArray[np.uint8]
    tenth: npt.NDArray[np.int8]
    digests: npt.NDArray[np.uint64]  # two numbers for each

    @classmethod
    def of(cls, reviews: Iterable[Review]) -> "_Facts":
        """Collect the facts of reviews."""
        splits: list[str] = []
        split, number, label, tenth = array("B"), array("q"), array("B"), array("b")
        digests = bytearray()
        for review in reviews:
            if review.split not in splits:
                splits.append(review.split)
            split.append(splits.index(review.split))
            number.append(review.number)
            label.append(review.label)
            tenth.append(_tenth_of_movie(review.movie) if review.movie else -1)
            digests += review.text_digest
        return cls(
            splits,
            np.frombuffer(split, np.uint8),
            np.frombuffer(number, np.int64),
            np.frombuffer(label, np.uint8),
            np.frombuffer(tenth, np.int8),
            np.frombuffer(digests, np.uint64).reshape(-1, 2),
        )

    @property
    def is_test(self) -> npt.NDArray[np.bool_]:
        """Whether each review is in the official test."""
        tests = [number for number, name in enumerate(self.splits) if name == "test"]
        return np.isin(self.split, tests)

    def places(self, numbers: int) -> npt.NDArray[np.int64]:
        """Return the place of each review, whether or not it is a duplicate."""
        tenth = np.where(self.tenth < 0, _tenth_of_block(self.number * BLOCKS // numbers), self.tenth)
        return np.where(self.is_test, TEST, tenth // HALVES)

    def ids(self, chosen: npt.NDArray[np.bool_]) -> Iterator[str]:
        """Yield the ids of some reviews."""
        for at in np.flatnonzero(chosen).tolist():
            yield id_of(self.splits[self.split[at]], int(self.label[at]), int(self.number[at]))


def _last_places(digests: npt.NDArray[np.uint64], places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return, for each review, the last place of a review with the same digest."""
    order = np.lexsort((places, digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    ends = np.append((ordered[1:] != ordered[:-1]).any(axis=1), True)[: len(order)]
    last = np.flatnonzero(ends)[np.cumsum(ends) - ends]  # of each run of equal digests
    result = np.empty_like(places)
    result[order] = places[order][last]
    return result


def _beyond(limit: int | None, ids: set[str]) -> list[str]:
    """Return the ids that a limit leaves out; they are ordered by the hash of the id."""
    return [] if limit is None else sorted(ids, key=lambda id_: hashlib.sha256(id_.encode()).digest())[limit:]
