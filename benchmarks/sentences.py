"""The accuracy of a release on sentences that this project's authors wrote for its evaluation.

`python -m benchmarks.sentences` prints the accuracy by kind of sentence, the share of minimal pairs with both answers
correct, and every mistake. The sentences are in tests/model/sentences.jsonl. They were all written before a model
scored any of them, and are for evaluation only: nothing may be trained or chosen on them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost
from rich.console import Console
from rich.table import Table

from chalicelib import release
from chalicelib.release import Release
from chalicelib.text import words
from training.evaluation.predictions import Floats, load_booster, matrix
from training.project import ROOT
from training.release import MODEL_FOLDER, packaged_model

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


def packaged_score(packaged: Release) -> Callable[[Sequence[str]], Floats]:
    """Load the packaged model; returns a function from texts to their probabilities of positive, as in the app."""
    booster = load_booster(packaged_model(packaged, ROOT / MODEL_FOLDER))

    def score(texts: Sequence[str]) -> Floats:
        rows = [packaged.encoder.row(words(text)) for text in texts]
        probabilities = booster.predict(xgboost.DMatrix(matrix(rows, packaged.facts.columns), nthread=1))
        return np.asarray(probabilities, dtype=np.float64)

    return score


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


def table_row(name: str, scored: Sequence[Scored], band: tuple[float, float]) -> list[str]:
    """Format the figures of a group of sentences; a figure that it doesn't have is an empty cell."""
    counts, pairs = count_answers(*split(scored), band), count_pairs(*split(scored))
    expected = count_answers(*split([each for each in scored if each[0].bag_of_words]), band)
    shares = (
        counts.accuracy,
        expected.accuracy if expected.answers else None,
        pairs.accuracy if pairs.pairs else None,
        counts.sure / counts.answers,
        counts.sure_accuracy,
    )
    return [name, str(counts.answers), *("" if share is None else f"{share * 100:.1f}" for share in shares)]


def report(console: Console) -> None:
    """Print the accuracy of the packaged release on the sentences, and its mistakes."""
    packaged, sentences = release.load(), load_sentences()
    probabilities = packaged_score(packaged)([sentence.text for sentence in sentences]).tolist()
    scored = list(zip(sentences, probabilities, strict=True))
    unpaired, paired = ([e for e in scored if (e[0].pair is not None) is pair] for pair in (False, True))
    table = Table(title=f"Release {packaged.release_id}: accuracy on the authors' sentences, %", title_justify="left")
    for heading in ("kind", "sentences", "all", "within reach", "both of a pair", "coverage", "precision"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for name, group in ({"all but pairs": unpaired, "all pairs": paired} | groups_by_kind(scored)).items():
        table.add_row(*table_row(name, group, packaged.facts.not_sure_band))
    console.print(table)
    for sentence, p in scored:
        if not is_correct(sentence, p):
            console.print(f"{p:.2f}  {sentence.label}  {sentence.text}  [dim]{sentence.kind}. {sentence.reason}[/]")


if __name__ == "__main__":
    report(Console(highlight=False))
