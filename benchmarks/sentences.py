"""The accuracy of a release on sentences that this project's authors wrote for its evaluation.

`python -m benchmarks.sentences` prints the accuracy by kind of sentence, and every mistake. The sentences are in
tests/model/sentences.jsonl. They were all written before a model scored any of them, and are for evaluation only:
nothing may be trained or chosen on them.
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
from training.model.run_folder import MODEL_NAME
from training.project import ROOT
from training.release import MODEL_FOLDER

SENTENCES = ROOT / "tests" / "model" / "sentences.jsonl"


@dataclass(frozen=True)
class LabelledSentence:
    """A sentence with its label ("positive" or "negative") and kind.

    `bag_of_words` is whether a model of n-grams of up to three words can be expected to classify it; if not, `reason`
    explains why.
    """

    text: str
    label: str
    kind: str
    bag_of_words: bool
    reason: str = ""


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


def load_sentences(path: Path = SENTENCES) -> list[LabelledSentence]:
    """Read a JSON Lines file of sentences."""
    return [LabelledSentence(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def packaged_score(packaged: Release) -> Callable[[Sequence[str]], Floats]:
    """Load the packaged model; returns a function from texts to their probabilities of positive, as in the app."""
    model = (ROOT / MODEL_FOLDER / MODEL_NAME).read_bytes()
    packaged.check_model(model)
    booster = load_booster(model)

    def score(texts: Sequence[str]) -> Floats:
        rows = [packaged.encoder.row(words(text)) for text in texts]
        probabilities = booster.predict(xgboost.DMatrix(matrix(rows, packaged.facts.columns), nthread=1))
        return np.asarray(probabilities, dtype=np.float64)

    return score


def count_answers(
    sentences: Sequence[LabelledSentence], probabilities: Sequence[float], band: tuple[float, float]
) -> AnswerCounts:
    """Count the correct and the sure answers; a sure answer is not strictly between the band's ends."""
    correct = [(p > 0.5) == (s.label == "positive") for s, p in zip(sentences, probabilities, strict=True)]
    sure = [not band[0] < p < band[1] for p in probabilities]
    return AnswerCounts(len(correct), sum(correct), sum(sure), sum(c and s for c, s in zip(correct, sure, strict=True)))


def by_kind(
    sentences: Sequence[LabelledSentence], probabilities: Sequence[float], band: tuple[float, float]
) -> dict[str, AnswerCounts]:
    """Count the answers of each kind of sentence, in the order of the file."""
    pairs = list(zip(sentences, probabilities, strict=True))
    groups = {s.kind: [pair for pair in pairs if pair[0].kind == s.kind] for s in sentences}
    return {kind: count_answers([s for s, _ in group], [p for _, p in group], band) for kind, group in groups.items()}


def report(console: Console) -> None:
    """Print the accuracy of the packaged release on the sentences, and its mistakes."""
    packaged, sentences = release.load(), load_sentences()
    band = packaged.facts.not_sure_band
    probabilities = packaged_score(packaged)([sentence.text for sentence in sentences]).tolist()
    within = [(s, p) for s, p in zip(sentences, probabilities, strict=True) if s.bag_of_words]
    counts = {
        "all": count_answers(sentences, probabilities, band),
        "within reach": count_answers([s for s, _ in within], [p for _, p in within], band),
    }
    expected = by_kind([s for s, _ in within], [p for _, p in within], band)
    table = Table(title=f"Release {packaged.release_id}: accuracy on the authors' sentences, %", title_justify="left")
    for heading in ("kind", "sentences", "all", "within reach", "coverage", "precision"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind, each in (counts | by_kind(sentences, probabilities, band)).items():
        of_expected = f"{expected[kind].accuracy * 100:.1f}" if kind in expected else ""
        sure, of_sure = (f"{share * 100:.1f}" for share in (each.sure / each.answers, each.sure_accuracy))
        table.add_row(kind, str(each.answers), f"{each.accuracy * 100:.1f}", of_expected, sure, of_sure)
    console.print(table)
    for sentence, p in zip(sentences, probabilities, strict=True):
        if (p > 0.5) != (sentence.label == "positive"):
            console.print(f"{p:.2f}  {sentence.label}  {sentence.text}  [dim]{sentence.kind}. {sentence.reason}[/]")


if __name__ == "__main__":
    report(Console(highlight=False))
