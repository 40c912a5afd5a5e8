"""The passes over the training texts that count words and hash n-grams."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.text import words
from training.data.reviews import (
    REVIEWS_NAME,
    UNLABELLED_NAME,
    Review,
    ShortText,
    chunks_of,
    read_unlabelled,
)
from training.data.short_texts import short_texts
from training.data.splits import Splits
from training.data.templates import template_texts
from training.features.build_vocabulary import WordCounts, adjectives
from training.features.hashed_texts import HashedTexts, hash_reviews, hash_short_texts, hash_unlabelled, join
from training.parallel import CHUNK_BYTES, map_items, map_reviews
from training.progress import ProgressCallback, silent

_TEXTS_PER_CHUNK = 20_000  # short texts


@dataclass
class ExtractedTexts:
    """The word counts of the training reviews, the short texts, and the hashed n-grams of all training texts."""

    word_counts: WordCounts = field(default_factory=WordCounts)
    short_texts: list[ShortText] = field(default_factory=list)
    hashed: HashedTexts = field(default_factory=HashedTexts)


def extract(folder: Path, splits: Splits, with_ngrams: bool = True, tick: ProgressCallback = silent) -> ExtractedTexts:
    """Count the words of the training reviews in a folder and, if requested, hash the n-grams of all training texts."""
    extracted = ExtractedTexts()
    parts: list[HashedTexts] = []
    for counts, hashed in map_reviews(extract_part, folder / REVIEWS_NAME, (splits, with_ngrams), tick):
        extracted.word_counts.add(counts)
        parts.append(hashed)
    if with_ngrams:
        extracted.short_texts = with_templates(short_texts(folder, "train"), extracted.word_counts)
        parts += _hash_short(extracted.short_texts, tick)
        parts += _hash_unlabelled(folder / UNLABELLED_NAME, tick)
        extracted.hashed = join(parts)
    return extracted


def extract_part(shared: tuple[Splits, bool], reviews: Iterator[Review]) -> tuple[WordCounts, HashedTexts]:
    """Extract the training reviews of one chunk of the file."""
    splits, with_ngrams = shared
    counts = WordCounts()
    found = []
    for review in filter(splits.is_training, reviews):
        review_words = words(review.text)
        counts.count(review.label, review_words)
        found.append((review, splits.tenth_of(review), review_words))
    return counts, hash_reviews(found) if with_ngrams else HashedTexts()


def with_templates(texts: Iterable[ShortText], counts: WordCounts) -> list[ShortText]:
    """Return the short texts for training: those that are given, and the templates."""
    praise, blame = adjectives(counts)
    templates = template_texts(praise, blame) if praise and blame else ()
    return [*texts, *templates]


def _hash_short(texts: Sequence[ShortText], tick: ProgressCallback) -> Iterator[HashedTexts]:
    """Hash the short texts in chunks."""
    chunks = [texts[start : start + _TEXTS_PER_CHUNK] for start in range(0, len(texts), _TEXTS_PER_CHUNK)]
    yield from map_items(_hash_chunk, chunks, None, tick, alone=len(chunks) < 2)


def _hash_chunk(_shared: None, texts: Sequence[ShortText]) -> HashedTexts:
    """Hash one chunk of short texts."""
    return hash_short_texts(texts)


def _hash_unlabelled(path: Path, tick: ProgressCallback) -> Iterator[HashedTexts]:
    """Hash the unlabelled reviews of a file, chunk by chunk; none if there is no such file."""
    chunks = chunks_of(path, CHUNK_BYTES) if path.exists() else []
    yield from map_items(_hash_unlabelled_chunk, chunks, path, tick, alone=len(chunks) < 2)


def _hash_unlabelled_chunk(path: Path, chunk: tuple[int, int]) -> HashedTexts:
    """Hash one chunk of unlabelled reviews, (start, end) in bytes."""
    return hash_unlabelled(read_unlabelled(path, *chunk))
