"""Training texts on Spark: reviews and short texts as they are read, their splits, word counts and hashed n-grams.

A partition calls the functions that `training.features.extract` calls in a process for each chunk of a file.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from training.data.reviews import (
    REVIEWS_NAME,
    SHORT_TEXTS_NAME,
    UNLABELLED_NAME,
    Review,
    ShortText,
    UnlabelledReview,
)
from training.data.short_texts import distinct_texts
from training.data.splits import TEST, Splits, check_filled
from training.features.build_vocabulary import MIN_INTENSIFIED, MIN_REVIEWS, WordCounts
from training.features.extract import extract_part
from training.features.hashed_texts import HashedTexts, hash_unlabelled
from training.spark.storage import Folder

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext

BATCH = 1_000  # reviews that are hashed at once

Item = TypeVar("Item")
Place = tuple[int, int, str]  # a place (fold or test), a label, and a review's id


def read_reviews(context: "SparkContext", folder: Folder) -> "RDD[Review]":
    """Read the labelled reviews of a folder, in the order of the file."""
    return _lines(context, folder, REVIEWS_NAME).map(lambda line: Review(**json.loads(line)))


def read_unlabelled(context: "SparkContext", folder: Folder) -> "RDD[UnlabelledReview] | None":
    """Read the unlabelled reviews of a folder; None if there are none."""
    if not folder.exists(UNLABELLED_NAME):
        return None
    return _lines(context, folder, UNLABELLED_NAME).map(lambda line: UnlabelledReview(**json.loads(line)))


def read_short_texts(context: "SparkContext", folder: Folder) -> list[ShortText]:
    """Read the short texts of a folder for training; they fit into memory, as sentences labelled by people do."""
    if not folder.exists(SHORT_TEXTS_NAME):
        return []
    lines = _lines(context, folder, SHORT_TEXTS_NAME).collect()
    return list(distinct_texts((ShortText(**json.loads(line)) for line in lines), "train"))


def _lines(context: "SparkContext", folder: Folder, name: str) -> "RDD[str]":
    """Read the lines of a file, or of the files of a folder, in at least one partition for each processor."""
    return context.textFile(folder.uri_of(name), context.defaultParallelism)


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Divide items into lists."""
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, size)):
        yield batch


def assign(reviews: "RDD[Review]", source: str) -> Splits:
    """Return the splits of reviews, as `training.data.splits.assign` does; raises `DataError` as it does."""
    numbers = 1 + reviews.map(_number).fold(0, max)
    bare = Splits(numbers)
    places = reviews.map(lambda review: (review.text_digest, (bare.place_of(review), review.label, review.id)))
    parts = places.groupByKey().mapPartitions(lambda groups: [_resolve(group for _, group in groups)]).collect()
    check_filled({filled for _, found in parts for filled in found}, source)
    return Splits(numbers, frozenset(itertools.chain.from_iterable(dropped for dropped, _ in parts)))


def _number(review: Review) -> int:
    """Return the number of a review that its number places, 0 for any other."""
    return review.number if review.split == "train" and not review.movie else 0


def _resolve(groups: Iterable[Iterable[Place]]) -> tuple[list[str], set[tuple[int, int]]]:
    """Return the ids to drop from groups of reviews with the same text, and the (place, label) of those that stay."""
    dropped: list[str] = []
    filled: set[tuple[int, int]] = set()
    for group in groups:
        members = list(group)
        last = max(place for place, _, _ in members)
        dropped += [id_ for place, _, id_ in members if place < last]
        filled.update((place, label) for place, label, _ in members if place == last and place != TEST)
    return dropped, filled


def extract_reviews(
    reviews: "RDD[Review]", splits: "Broadcast[Splits]", with_ngrams: bool
) -> "RDD[tuple[WordCounts, HashedTexts]]":
    """Count the words of training reviews and hash their n-grams, a batch at a time."""
    return reviews.mapPartitions(
        lambda part: (extract_part((splits.value, with_ngrams), iter(batch)) for batch in batches(part))
    )


def hash_unlabelled_reviews(reviews: "RDD[UnlabelledReview]") -> "RDD[HashedTexts]":
    """Hash unlabelled reviews, a batch at a time."""
    return reviews.mapPartitions(lambda part: map(hash_unlabelled, batches(part)))


def count_words(counts: "RDD[WordCounts]", size: int) -> WordCounts:
    """Add up word counts, and keep those that decide: of the `size` most frequent words, and of adjectives.

    What is kept gives the vocabulary and the adjectives that all counts would give.
    """
    by_word = counts.mapPartitions(_by_word).reduceByKey(_add).persist()
    frequent = by_word.filter(lambda item: sum(item[1][:2]) >= MIN_REVIEWS)
    chosen = frequent.takeOrdered(size, key=lambda item: (-sum(item[1][:2]), item[0]))
    chosen += by_word.filter(lambda item: item[1][2] >= MIN_INTENSIFIED).collect()
    by_word.unpersist()
    found = dict(chosen)
    reviews = counts.map(lambda part: tuple(part.reviews)).fold((0, 0), _add)
    negative, positive, intensified = (Counter({word: found[word][i] for word in found}) for i in range(3))
    return WordCounts((negative, positive), list(reviews), +intensified)


def _by_word(parts: Iterable[WordCounts]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield each word of a partition with its counts: negative reviews, positive reviews, intensified occurrences."""
    total = WordCounts()
    for part in parts:
        total.add(part)
    negative, positive = total.words
    for word in negative.keys() | positive.keys():
        yield word, (negative[word], positive[word], total.intensified[word])


def _add(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    """Add tuples of counts."""
    return tuple(a + b for a, b in zip(first, second, strict=True))
