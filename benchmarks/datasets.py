"""The reviews and sentences that the alternatives are trained on and evaluated on."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.sentences import LabelledSentence, load_sentences
from benchmarks.snippets import Snippets
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, Review, read
from training.data.splits import TEST, assign
from training.evaluation.predictions import Integers


@dataclass(frozen=True)
class Datasets:
    """Texts and labels to train on; the test, the authors' sentences and the snippets to evaluate on.

    `snippets` is None if the file with them was not given.
    """

    texts: list[str]
    labels: Integers
    test: list[Review]
    sentences: list[LabelledSentence]
    snippets: Snippets | None

    @cached_property
    def test_labels(self) -> Integers:
        """The labels of the test reviews, which are also those of their excerpts."""
        return np.array([review.label for review in self.test])

    @cached_property
    def excerpts(self) -> list[str]:
        """An excerpt of each test review, the same that `verdict evaluate` scores."""
        return [excerpts_of(review.id, review.text, 1)[0] for review in self.test]

    @property
    def facts(self) -> dict[str, int | None]:
        """The sizes of the sets to evaluate on, by the names in the JSON file."""
        return {
            "test_reviews": len(self.test),
            "crops": len(self.excerpts),
            "snippets": len(self.snippets.texts) if self.snippets else None,
            "snippets_left_out": self.snippets.undecided if self.snippets else None,
            "sentences": len(self.sentences),
        }


def load_datasets(data: Path, snippets: Snippets | None) -> Datasets:
    """Read collected reviews; a text that is also in the test or in a later fold is not trained on."""
    path = data / REVIEWS_NAME
    splits = assign(path)
    training = [review for review in read(path) if splits.is_training(review)]
    test = [review for review in read(path) if splits.place_of(review) == TEST]
    labels = np.array([review.label for review in training])
    return Datasets([review.text for review in training], labels, test, load_sentences(), snippets)
