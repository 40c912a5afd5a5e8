"""The reviews and sentences that the alternatives are trained on and evaluated on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from training.data.authored_sentences import LabelledSentence, load_sentences
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, SHORT_TEXTS_NAME, Review, ShortText, read, read_short_texts
from training.data.splits import TEST, assign
from training.data.treebank import SOURCE
from training.evaluation.predictions import Floats, Integers

PHRASE_WEIGHT = 0.1  # of a Treebank phrase; a review and a sentence have 1
NEUTRAL = 0.5


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with their labels (1: positive) and weights in training."""

    texts: list[str]
    labels: Integers
    weights: Floats

    @classmethod
    def of(cls, rows: Iterable[tuple[str, int, float]]) -> "LabelledTexts":
        """Return the texts, labels and weights of rows."""
        texts, labels, weights = zip(*rows, strict=True)
        return cls(list(texts), np.array(labels), np.array(weights))

    @property
    def rows(self) -> Iterator[tuple[str, int, float]]:
        """Each text with its label and weight."""
        return zip(self.texts, self.labels.tolist(), self.weights.tolist(), strict=True)


@dataclass(frozen=True)
class Treebank:
    """The sentences of the Sentiment Treebank that are not neutral: train with its phrases, and test."""

    sentences: list[ShortText]
    phrases: list[ShortText]
    test: list[ShortText]

    @cached_property
    def test_labels(self) -> Integers:
        """The labels of the test sentences."""
        return np.array([_label(sentence) for sentence in self.test])


@dataclass(frozen=True)
class Datasets:
    """Reviews and Treebank to train on; the test, the Treebank's test and the authors' sentences to evaluate on.

    `treebank` is None if it was not given.
    """

    reviews: list[Review]
    test: list[Review]
    sentences: list[LabelledSentence]
    treebank: Treebank | None

    @cached_property
    def test_labels(self) -> Integers:
        """The labels of the test reviews, which are also those of their excerpts."""
        return np.array([review.label for review in self.test])

    @cached_property
    def excerpts(self) -> list[str]:
        """An excerpt of each test review, the same that `verdict evaluate` scores."""
        return [excerpts_of(review.id, review.text, 1)[0] for review in self.test]

    def training(self, with_treebank: bool, reviews_every: int = 1) -> LabelledTexts:
        """Return the texts to train on: every `reviews_every`th review and phrase, and all sentences."""
        rows = [(review.text, review.label, 1.0) for review in _of_every(self.reviews, reviews_every)]
        if with_treebank and self.treebank:
            rows += [(each.text, _label(each), 1.0) for each in self.treebank.sentences]
            rows += [(each.text, _label(each), PHRASE_WEIGHT) for each in self.treebank.phrases[::reviews_every]]
        return LabelledTexts.of(rows)

    def with_test_of_every(self, reviews_every: int) -> "Datasets":
        """Return the same data with every `reviews_every`th test review."""
        return replace(self, test=_of_every(self.test, reviews_every))

    @property
    def facts(self) -> dict[str, int | None]:
        """The sizes of the sets to evaluate on, by the names in the JSON file."""
        return {
            "test_reviews": len(self.test),
            "treebank_sentences": len(self.treebank.test) if self.treebank else None,
            "sentences": len(self.sentences),
        }


def _of_every(reviews: Iterable[Review], reviews_every: int) -> list[Review]:
    """Return evenly spaced reviews, as many of each label."""
    return [review for review in reviews if review.number % reviews_every == 0]


def _label(text: ShortText) -> int:
    """Return the label of a text that is not neutral."""
    return int(text.target > NEUTRAL)


def load_datasets(data: Path) -> Datasets:
    """Read a folder of collected data; a text that is also in the test or in a later fold is not trained on."""
    path = data / REVIEWS_NAME
    splits = assign(path)
    training = [review for review in read(path) if splits.is_training(review)]
    test = [review for review in read(path) if splits.place_of(review) == TEST]
    treebank = _read_treebank(data / SHORT_TEXTS_NAME) if (data / SHORT_TEXTS_NAME).exists() else None
    return Datasets(training, test, load_sentences(), treebank)


def _read_treebank(path: Path) -> Treebank:
    """Read the Treebank's texts from the short texts, without the neutral ones."""
    decided = [each for each in read_short_texts(path) if each.source == SOURCE and each.target != NEUTRAL]
    train = [each for each in decided if each.split == "train"]
    return Treebank(
        [each for each in train if each.whole],
        [each for each in train if not each.whole],
        [each for each in decided if each.split == "test"],
    )
