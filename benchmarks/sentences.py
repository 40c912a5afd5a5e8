"""The sentences that this project's authors wrote to judge a release by, and how well it does on them.

`python -m benchmarks.sentences` prints its accuracy by kind, and every wrong answer. The sentences are in
tests/model/sentences.jsonl: they were all written before a model was asked about any, and are for judging only, so
nothing may be trained or chosen on them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost
from rich.console import Console
from rich.table import Table

from chalicelib import release
from chalicelib.release import Release
from chalicelib.text import words
from training.evaluation.predictions import load_booster, matrix
from training.model.run_folder import MODEL_NAME
from training.release import MODEL_FOLDER

PROJECT = Path(__file__).parents[1]
SENTENCES = PROJECT / "tests" / "model" / "sentences.jsonl"


@dataclass(frozen=True)
class Sentence:
    """A sentence with its label ("positive" or "negative") and kind.

    `bag_of_words` is whether a model that sees runs of three words at most can be expected to get it; where it can
    not, `reason` says why.
    """

    text: str
    label: str
    kind: str
    bag_of_words: bool
    reason: str = ""


@dataclass(frozen=True)
class Tally:
    """How many answers there are, how many are right, how many are sure (outside the band), and right among those."""

    answers: int
    right: int
    sure: int
    sure_right: int

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0..1."""
        return self.right / self.answers if self.answers else 0.0

    @property
    def sure_accuracy(self) -> float:
        """The share of right answers among the sure ones, 0..1."""
        return self.sure_right / self.sure if self.sure else 0.0


def load(path: Path = SENTENCES) -> list[Sentence]:
    """Read a file of sentences."""
    return [Sentence(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def score_of(packaged: Release) -> Callable[[Sequence[str]], npt.NDArray[np.float64]]:
    """Load the packaged model; returns what gives texts their probabilities of positive, as the app would."""
    model = (PROJECT / MODEL_FOLDER / MODEL_NAME).read_bytes()
    packaged.check_model(model)
    booster = load_booster(model)

    def score(texts: Sequence[str]) -> npt.NDArray[np.float64]:
        rows = [packaged.encoder.row(words(text)) for text in texts]
        found = booster.predict(xgboost.DMatrix(matrix(rows, packaged.facts.columns), nthread=1))
        return np.asarray(found, dtype=np.float64)

    return score


def tally(sentences: Sequence[Sentence], probabilities: Sequence[float], band: tuple[float, float]) -> Tally:
    """Count the right and the sure answers; a sure one is not strictly between the band's ends."""
    right = [(p > 0.5) == (s.label == "positive") for s, p in zip(sentences, probabilities, strict=True)]
    sure = [not band[0] < p < band[1] for p in probabilities]
    return Tally(len(right), sum(right), sum(sure), sum(r and s for r, s in zip(right, sure, strict=True)))


def by_kind(
    sentences: Sequence[Sentence], probabilities: Sequence[float], band: tuple[float, float]
) -> dict[str, Tally]:
    """Tally each kind, in the order in which the file has them."""
    pairs = list(zip(sentences, probabilities, strict=True))
    groups = {s.kind: [pair for pair in pairs if pair[0].kind == s.kind] for s in sentences}
    return {kind: tally([s for s, _ in group], [p for _, p in group], band) for kind, group in groups.items()}


def report(console: Console) -> None:
    """Print what the packaged release makes of the sentences."""
    packaged, sentences = release.load(), load()
    band = packaged.facts.not_sure_band
    probabilities = score_of(packaged)([sentence.text for sentence in sentences]).tolist()
    within = [(s, p) for s, p in zip(sentences, probabilities, strict=True) if s.bag_of_words]
    tallies = {
        "all": tally(sentences, probabilities, band),
        "a bag of words can": tally([s for s, _ in within], [p for _, p in within], band),
    }
    expected = by_kind([s for s, _ in within], [p for _, p in within], band)
    table = Table(title=f"Release {packaged.release_id}: accuracy on the authors' sentences, %", title_justify="left")
    for heading in ("kind", "sentences", "all", "a bag of words can", "sure", "of the sure"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind, each in (tallies | by_kind(sentences, probabilities, band)).items():
        of_expected = f"{expected[kind].accuracy * 100:.1f}" if kind in expected else ""
        sure, of_sure = (f"{share * 100:.1f}" for share in (each.sure / each.answers, each.sure_accuracy))
        table.add_row(kind, str(each.answers), f"{each.accuracy * 100:.1f}", of_expected, sure, of_sure)
    console.print(table)
    for sentence, p in zip(sentences, probabilities, strict=True):
        if (p > 0.5) != (sentence.label == "positive"):
            console.print(f"{p:.2f}  {sentence.label}  {sentence.text}  [dim]{sentence.kind}. {sentence.reason}[/]")


if __name__ == "__main__":
    report(Console(highlight=False))
