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
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

from training.data.reviews import DataError, Review, read

BLOCKS = 25
FOLDS = 5
HALVES = 2  # of a fold
TENTHS = FOLDS * HALVES
TEST = FOLDS  # the place after the folds

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
    if review.movie:
        return int.from_bytes(hashlib.sha256(review.movie.encode()).digest()[:8]) % TENTHS
    block = review.number * BLOCKS // numbers
    return HALVES * (block % FOLDS) + block // FOLDS % HALVES


def _place(review: Review, numbers: int) -> int:
    """Return a review's place, whether or not it is a duplicate."""
    return TEST if review.split == "test" else fold_of(_tenth(review, numbers))


def assign(path: Path, limit: int | None = None) -> Splits:
    """Read a file of reviews and return its splits; raises `DataError` if a fold lacks reviews of either label.

    With a `limit`, only that many training reviews are used. They are drawn by their ids, so the same file always gives
    the same ones, and a lower limit gives a part of them.
    """
    reviews = [(replace(review, text=""), review.text_digest) for review in read(path)]
    numbered = (review.number for review, _ in reviews if review.split == "train" and not review.movie)
    numbers = 1 + max(numbered, default=0)
    last_place: dict[bytes, int] = {}
    for review, digest in reviews:
        last_place[digest] = max(_place(review, numbers), last_place.get(digest, 0))
    kept = [review for review, digest in reviews if _place(review, numbers) == last_place[digest]]
    check_filled({(_place(review, numbers), review.label) for review in kept}, path)
    training = {review.id for review in kept if review.split != "test"}
    duplicates = {review.id for review, _ in reviews} - {review.id for review in kept}
    return Splits(numbers, frozenset(duplicates), frozenset(_beyond(limit, training)))


def check_filled(filled: Set[tuple[int, int]], source: Path | str) -> None:
    """Raise `DataError` unless each fold has both labels; `filled` has the (place, label) of all reviews."""
    if not {(fold, label) for fold in range(FOLDS) for label in (0, 1)} <= filled:
        raise DataError(f"{source} has too few reviews: each of {FOLDS} folds needs both labels.")


def _beyond(limit: int | None, ids: set[str]) -> list[str]:
    """Return the ids that a limit leaves out; they are ordered by the hash of the id."""
    return [] if limit is None else sorted(ids, key=lambda id_: hashlib.sha256(id_.encode()).digest())[limit:]
