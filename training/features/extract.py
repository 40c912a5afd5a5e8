"""The passes over the training texts that count words and hash n-grams."""

from collections.abc import Iterator, Sequence
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
from training.features.hashed_columns import HashedColumns, Part, write_part
from training.features.hashed_texts import hash_reviews, hash_short_texts, hash_unlabelled
from training.parallel import CHUNK_BYTES, map_items, map_reviews
from training.progress import ProgressCallback, silent

_TEXTS_PER_CHUNK = 20_000  # short texts


@dataclass
class ExtractedTexts:
    """The word counts of the training reviews, the short texts, and the hashed n-grams of all training texts."""

    word_counts: WordCounts = field(default_factory=WordCounts)
    short_texts: list[ShortText] = field(default_factory=list)
    hashed: HashedColumns = field(default_factory=HashedColumns)


def extract(
    folder: Path,
    splits: Splits,
    with_ngrams: bool = True,
    tick: ProgressCallback = silent,
    hashed_folder: Path | None = None,
) -> ExtractedTexts:
    """Count the words of the training reviews in a folder and, if requested, hash the n-grams of all training texts.

    The hashed texts are files in `hashed_folder`, by default in a folder that is deleted with the result.
    """
    extracted = ExtractedTexts(hashed=HashedColumns(hashed_folder))
    parts, into = extracted.hashed.parts, extracted.hashed.folder
    shared = (splits, into if with_ngrams else None)
    for counts, part in map_reviews(_extract_part, folder / REVIEWS_NAME, shared, tick):
        extracted.word_counts.add(counts)
        parts += [part] if part else []
    if with_ngrams:
        extracted.short_texts = _short_texts(folder, extracted.word_counts)
        parts += _hash_short(extracted.short_texts, into, tick)
        parts += _hash_unlabelled(folder / UNLABELLED_NAME, into, tick)
    return extracted


def _extract_part(shared: tuple[Splits, Path | None], reviews: Iterator[Review]) -> tuple[WordCounts, Part | None]:
    """Extract the training reviews of one chunk of the file; without a folder, count words only."""
    splits, into = shared
    counts = WordCounts()
    found = []
    for review in filter(splits.is_training, reviews):
        review_words = words(review.text)
        counts.count(review.label, review_words)
        found.append((review, splits.tenth_of(review), review_words))
    return counts, write_part(into, hash_reviews(found)) if into else None


def _short_texts(folder: Path, counts: WordCounts) -> list[ShortText]:
    """Return the short texts for training: those of the folder, and the templates."""
    praise, blame = adjectives(counts)
    templates = template_texts(praise, blame) if praise and blame else ()
    return [*short_texts(folder, "train"), *templates]


def _hash_short(texts: Sequence[ShortText], into: Path, tick: ProgressCallback) -> Iterator[Part]:
    """Hash the short texts in chunks."""
    chunks = [texts[start : start + _TEXTS_PER_CHUNK] for start in range(0, len(texts), _TEXTS_PER_CHUNK)]
    yield from map_items(_hash_chunk, chunks, into, tick, alone=len(chunks) < 2)


def _hash_chunk(into: Path, texts: Sequence[ShortText]) -> Part:
    """Hash one chunk of short texts."""
    return write_part(into, hash_short_texts(texts))


def _hash_unlabelled(path: Path, into: Path, tick: ProgressCallback) -> Iterator[Part]:
    """Hash the unlabelled reviews of a file, chunk by chunk; none if there is no such file."""
    chunks = chunks_of(path, CHUNK_BYTES) if path.exists() else []
    yield from map_items(_hash_unlabelled_chunk, chunks, (path, into), tick, alone=len(chunks) < 2)


def _hash_unlabelled_chunk(shared: tuple[Path, Path], chunk: tuple[int, int]) -> Part:
    """Hash one chunk of unlabelled reviews, (start, end) in bytes."""
    path, into = shared
    return write_part(into, hash_unlabelled(read_unlabelled(path, *chunk)))
