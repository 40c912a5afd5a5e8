"""Counts of correct answers on the authors' sentences. `python -m benchmarks.sentences` prints them."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.data.authored_sentences import LabelledSentence

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
