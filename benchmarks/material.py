"""What the alternatives learn from, and what they and the packaged release are asked about."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.sentences import Sentence, load
from benchmarks.snippets import Snippets
from training.data.excerpts import excerpts_of
from training.data.reviews import REVIEWS_NAME, Review, read
from training.data.splits import TEST, assign
from training.evaluation.predictions import Integers


@dataclass(frozen=True)
class Material:
    """Training texts and their labels to learn from; the test, the authors' sentences and the snippets to be asked.

    `snippets` is None where the file that holds them was not given.
    """

    texts: list[str]
    labels: Integers
    test: list[Review]
    sentences: list[Sentence]
    snippets: Snippets | None

    @cached_property
    def test_labels(self) -> Integers:
        """The labels of the test, which its crops keep."""
        return np.array([review.label for review in self.test])

    @cached_property
    def crops(self) -> list[str]:
        """A crop of each review of the test, the same that `verdict evaluate` asks about."""
        return [excerpts_of(review.id, review.text, 1)[0] for review in self.test]

    @property
    def facts(self) -> dict[str, int | None]:
        """How much is asked."""
        return {
            "test_reviews": len(self.test),
            "crops": len(self.crops),
            "snippets": len(self.snippets.texts) if self.snippets else None,
            "snippets_left_out": self.snippets.undecided if self.snippets else None,
            "sentences": len(self.sentences),
        }


def gather(data: Path, snippets: Snippets | None) -> Material:
    """Read collected reviews; of texts in two places, the fold goes without what the test or a later fold has."""
    path = data / REVIEWS_NAME
    splits = assign(path)
    learned_from = [review for review in read(path) if splits.learns(review)]
    test = [review for review in read(path) if splits.of(review) == TEST]
    labels = np.array([review.label for review in learned_from])
    return Material([review.text for review in learned_from], labels, test, load(), snippets)
