"""The nearest training reviews of a text: cosine similarity of bags of words.

A bag has each vocabulary word that occurs once, weighted by its inverse document frequency, ln(N / n), so that common
words do not decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

from chalicelib.text import words
from chalicelib.vocabulary import Vocabulary
from training.data.reviews import REVIEWS_NAME, Review
from training.evaluation.predictions import Floats
from training.parallel import map_reviews
from training.progress import ProgressCallback, silent


@dataclass(frozen=True)
class Neighbour:
    """A training review, with its cosine similarity, 0..1."""

    similarity: float
    review: Review


@dataclass(frozen=True)
class TrainingBags:
    """The bags of words of the training reviews, one row each, of length 1; `weights` are those of the words."""

    reviews: Sequence[Review]
    bags: csr_matrix  # (reviews, words)
    weights: Floats  # (words,)
    vocabulary: Vocabulary

    def nearest(self, texts: Sequence[str], count: int) -> list[list[Neighbour]]:
        """Return the `count` nearest training reviews of each text, the nearest first."""
        bags = _unit(_present(texts, self.vocabulary).multiply(self.weights).tocsr())
        similarities = (bags @ self.bags.T).toarray()  # (texts, reviews)
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
        return [
            [Neighbour(float(row[place]), self.reviews[place]) for place in places if row[place] > 0]
            for row, places in zip(similarities, order, strict=True)
        ]


def training_bags(data_folder: Path, vocabulary: Vocabulary, tick: ProgressCallback = silent) -> TrainingBags:
    """Read the training reviews of a folder of data into bags of words."""
    reviews: list[Review] = []
    parts: list[csr_matrix] = []
    for part, present in map_reviews(_bags_of_part, data_folder / REVIEWS_NAME, vocabulary, tick):
        reviews += part
        parts.append(present)
    present = vstack(parts, format="csr")
    counts = np.bincount(present.indices, minlength=len(vocabulary.terms))
    weights = np.log(max(len(reviews), 1) / np.maximum(counts, 1))
    return TrainingBags(reviews, _unit(present.multiply(weights).tocsr()), weights, vocabulary)


def _bags_of_part(vocabulary: Vocabulary, reviews: Iterator[Review]) -> tuple[list[Review], csr_matrix]:
    """Return the training reviews of a part of a file, and the words that occur in each."""
    kept = [review for review in reviews if review.split == "train"]
    return kept, _present([review.text for review in kept], vocabulary)


def _present(texts: Sequence[str], vocabulary: Vocabulary) -> csr_matrix:
    """Return which vocabulary words occur in each text: 1.0 in a matrix of (texts, words)."""
    columns = {term: column for column, term in enumerate(vocabulary.terms)}
    found = [sorted({columns[word] for word in words(text) if word in columns}) for text in texts]
    ends = np.cumsum([0, *map(len, found)])
    indices = np.array([column for row in found for column in row], dtype=np.int32)
    return csr_matrix((np.ones(len(indices)), indices, ends), shape=(len(texts), len(columns)))


def _unit(bags: csr_matrix) -> csr_matrix:
    """Scale each row to length 1; an empty row stays empty."""
    lengths = np.sqrt(np.asarray(bags.multiply(bags).sum(axis=1)).ravel())
    scale = csr_matrix((1 / np.maximum(lengths, 1e-12), (range(len(lengths)), range(len(lengths)))))
    return (scale @ bags).tocsr()
