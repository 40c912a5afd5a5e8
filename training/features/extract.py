"""The pass over the reviews that counts their words and hashes their n-grams."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.text import words
from training.data.reviews import Review
from training.data.splits import Splits
from training.features.build_vocabulary import WordCounts
from training.features.ngram_weights import HashedReviews
from training.parallel import map_reviews
from training.progress import ProgressCallback, silent


@dataclass
class ExtractedReviews:
    """The word counts and the hashed n-grams of the training reviews."""

    word_counts: WordCounts = field(default_factory=WordCounts)
    hashed: HashedReviews = field(default_factory=HashedReviews)


def extract(path: Path, splits: Splits, with_ngrams: bool = True, tick: ProgressCallback = silent) -> ExtractedReviews:
    """Count the words of the training reviews in a file and, if requested, hash their n-grams."""
    extracted = ExtractedReviews()
    for part in map_reviews(_extract_part, path, (splits, with_ngrams), tick):
        extracted.word_counts.add(part.word_counts)
        extracted.hashed.extend(part.hashed)
    return extracted


def _extract_part(shared: tuple[Splits, bool], reviews: Iterator[Review]) -> ExtractedReviews:
    """Extract the reviews of one chunk of the file."""
    splits, with_ngrams = shared
    part = ExtractedReviews()
    for review in filter(splits.is_training, reviews):
        found = words(review.text)
        part.word_counts.count(review.label, found)
        if with_ngrams:
            part.hashed.append(review, splits.tenth_of(review), found)
    return part
