"""The sentences that this project's authors wrote to evaluate releases, and the counts of correct answers on them.

The sentences are in tests/model/sentences.jsonl. They were all written before a model scored any of them, and are for
evaluation only: nothing may be trained or chosen on them. `python -m benchmarks.sentences` prints the figures.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.project import ROOT

SENTENCES = ROOT / "tests" / "model" / "sentences.jsonl"


@dataclass(frozen=True)
class LabelledSentence:
    """A sentence with its label ("positive" or "negative") and kind.

    `bag_of_words` is whether a model of n-grams of up to three words can be expected to classify it; if not, `reason`
    explains why. The two sentences of a minimal pair have the same number `pair`: they share most of their words and
    have opposite labels. All pairs are expected, also where an n-gram has to know that it is inside a negation.
    """

    text: str
    label: str
    kind: str
    bag_of_words: bool
    reason: str = ""
    pair: int | None = None


Scored = tuple[LabelledSentence, float]  # with its probability of positive


@dataclass(frozen=True)
class AnswerCounts:
    """The number of answers, of correct ones, of sure ones (outside the not-sure band), and of correct sure ones."""

    answers: int
    correct: int
    sure: int
    sure_correct: int

    @property
    def accuracy(self) -> float:
        """The share of correct answers, 0..1."""
        return self.correct / self.answers if self.answers else 0.0

    @property
    def sure_accuracy(self) -> float:
        """The share of correct answers among the sure ones, 0..1."""
        return self.sure_correct / self.sure if self.sure else 0.0


@dataclass(frozen=True)
class PairCounts:
    """The number of minimal pairs, and of those with both answers correct."""

    pairs: int
    both_correct: int

    @property
    def accuracy(self) -> float:
        """The share of pairs with both answers correct, 0..1."""
        return self.both_correct / self.pairs if self.pairs else 0.0


def load_sentences(path: Path = SENTENCES) -> list[LabelledSentence]:
    """Read a JSON Lines file of sentences."""
    return [LabelledSentence(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def is_correct(sentence: LabelledSentence, probability: float) -> bool:
    """Return whether a probability of positive is on the label's side of 0.5."""
    return (probability > 0.5) == (sentence.label == "positive")


def count_answers(
    sentences: Sequence[LabelledSentence], probabilities: Sequence[float], band: tuple[float, float]
) -> AnswerCounts:
    """Count the correct and the sure answers; a sure answer is not strictly between the band's ends."""
    correct = [is_correct(s, p) for s, p in zip(sentences, probabilities, strict=True)]
    sure = [not band[0] < p < band[1] for p in probabilities]
    return AnswerCounts(len(correct), sum(correct), sum(sure), sum(c and s for c, s in zip(correct, sure, strict=True)))


def count_pairs(sentences: Sequence[LabelledSentence], probabilities: Sequence[float]) -> PairCounts:
    """Count the pairs, and those with both answers correct. Sentences without a pair are left out."""
    paired = [(s.pair, is_correct(s, p)) for s, p in zip(sentences, probabilities, strict=True) if s.pair is not None]
    pairs = {pair for pair, _ in paired}
    return PairCounts(len(pairs), len(pairs - {pair for pair, correct in paired if not correct}))


def by_kind(
    sentences: Sequence[LabelledSentence], probabilities: Sequence[float], band: tuple[float, float]
) -> dict[str, AnswerCounts]:
    """Count the answers of each kind of sentence, in the order of the file."""
    scored = list(zip(sentences, probabilities, strict=True))
    return {kind: count_answers(*split(group), band) for kind, group in groups_by_kind(scored).items()}


def groups_by_kind(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Group scored sentences by kind, in the order of the file."""
    return {
        kind: [each for each in scored if each[0].kind == kind] for kind in dict.fromkeys(s.kind for s, _ in scored)
    }


def split(scored: Sequence[Scored]) -> tuple[list[LabelledSentence], list[float]]:
    """Split scored sentences into the sentences and their probabilities."""
    return [sentence for sentence, _ in scored], [probability for _, probability in scored]
