"""Hashed training texts: the n-grams of reviews, excerpts, sentences and templates, and how much each text counts.

A table of n-gram weights is learned by two regressions on the same texts with different weights (`TEXT_WEIGHTS`). The
texts of a chunk are hashed in a worker process to arrays, without an object for each; `hashed_columns` stores them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chalicelib.text import words
from training.data.excerpts import excerpts_of
from training.data.reviews import Review, ShortText, UnlabelledReview
from training.data.short_texts import kind_of, tenth_of
from training.features.hash_chunk import hash_chunk

EXCERPTS_PER_REVIEW = 3
NO_TENTH = -1  # of an unlabelled review
UNKNOWN = 0.5  # the target of an unlabelled review, until a regression labels it


class TextWeight(NamedTuple):
    """The weight of a kind of text in the regression of review weights and in that of sentence weights."""

    review: float
    sentence: float


TEXT_WEIGHTS = {
    "review": TextWeight(1, 0.5),
    "excerpt": TextWeight(0.1, 0.15),
    "sentence": TextWeight(1, 1.5),
    "phrase": TextWeight(0.1, 0.2),
    "template": TextWeight(0, 0.3),
    "unlabelled review": TextWeight(0.6, 0),
    "unlabelled excerpt": TextWeight(0.06, 0),
}
KINDS_OF_TEXT = tuple(TEXT_WEIGHTS)
_HASH_SHIFT, _TEXT_SHIFT = np.uint64(4), np.uint64(36)  # of the key of an n-gram in a chunk
COUNTED = ("review", "sentence")  # the kinds whose texts decide which n-grams are frequent


@dataclass
class HashedTexts:
    """The n-grams of texts, and facts about the texts.

    `hashes`, `kinds` (an index of `NGRAM_KINDS`) and `inside` (whether the n-gram is inside a negation) have an entry
    for each n-gram, and each text's n-grams are distinct. `lengths` (n-grams), `targets` (probability of positive),
    `tenths` and `sources` (an index of `KINDS_OF_TEXT`) have one for each text.
    """

    hashes: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    kinds: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    inside: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    lengths: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    targets: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    tenths: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    sources: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def of_kinds(self, names: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return whether each text is of one of these kinds."""
        return np.isin(self.sources, [KINDS_OF_TEXT.index(name) for name in names])


def starts_of_runs(ordered: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return where each distinct value of a sorted array begins; ten times faster than `np.unique`, which hashes."""
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])


class _Builder:
    """Collects the texts of a chunk."""

    def __init__(self) -> None:
        self.texts: list[Sequence[str]] = []
        self.facts: list[tuple[float, int, int]] = []

    def add(self, text_words: Sequence[str], target: float, tenth: int, kind: str) -> None:
        """Add the words of a text."""
        self.texts.append(text_words)
        self.facts.append((target, tenth, KINDS_OF_TEXT.index(kind)))

    def build(self) -> HashedTexts:
        """Return the texts as arrays, each n-gram of a text once for inside and once for outside negations."""
        if not self.facts:
            return HashedTexts()
        text, hashes, code = hash_chunk(self.texts)
        keys = (text.astype(np.uint64) << _TEXT_SHIFT) | (hashes.astype(np.uint64) << _HASH_SHIFT) | code
        keys.sort()
        keys = keys[starts_of_runs(keys)]
        codes = (keys & np.uint64(15)).astype(np.uint8)
        targets, tenths, sources = zip(*self.facts, strict=True)
        return HashedTexts(
            hashes=(keys >> _HASH_SHIFT).astype(np.uint32),  # cuts off the text
            kinds=codes // 2,
            inside=codes % 2 == 1,
            lengths=np.bincount((keys >> _TEXT_SHIFT).astype(np.int64), minlength=len(self.facts)).astype(np.int32),
            targets=np.array(targets, dtype=np.float64),
            tenths=np.array(tenths, dtype=np.int8),
            sources=np.array(sources, dtype=np.uint8),
        )


def hash_reviews(reviews: Iterable[tuple[Review, int, Sequence[str]]]) -> HashedTexts:
    """Hash reviews, each given with its tenth and its words, and their excerpts."""
    builder = _Builder()
    for review, tenth, whole in reviews:
        builder.add(whole, review.label, tenth, "review")
        for excerpt in excerpts_of(review.id, review.text, EXCERPTS_PER_REVIEW):
            builder.add(words(excerpt), review.label, tenth, "excerpt")
    return builder.build()


def hash_unlabelled(reviews: Iterable[UnlabelledReview]) -> HashedTexts:
    """Hash unlabelled reviews, and an excerpt of each."""
    builder = _Builder()
    for review in reviews:
        builder.add(words(review.text), UNKNOWN, NO_TENTH, "unlabelled review")
        (excerpt,) = excerpts_of(f"unsup/{review.number}", review.text, 1)
        builder.add(words(excerpt), UNKNOWN, NO_TENTH, "unlabelled excerpt")
    return builder.build()


def hash_short_texts(texts: Iterable[ShortText]) -> HashedTexts:
    """Hash sentences, phrases and templates."""
    builder = _Builder()
    for text in texts:
        builder.add(words(text.text), text.target, tenth_of(text), kind_of(text))
    return builder.build()
