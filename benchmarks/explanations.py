"""The share of verdicts that their explanations support: `python -m benchmarks.explanations --archive PATH`.

An explanation supports a sure verdict if a sentence's own score is on the verdict's side by at least 0.2, and if a
marked content word has an effect of at least 0.05 on its sentence's score, on the same side. The parameters of
`chalicelib.explanation` were chosen on training reviews (`--split train`).
"""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import xgboost

from chalicelib import release
from chalicelib.explanation import FUNCTION_WORDS
from chalicelib.release import Release
from chalicelib.sentiment import NOT_SURE, POSITIVE, Scores, Verdict, predict
from training.data.archive import read_archive
from training.evaluation.packaged_model import MODEL_FOLDER
from training.evaluation.predictions import load_booster, matrix
from training.model.run_folder import MODEL_NAME
from training.project import ROOT

EVERY = 125  # reviews
MIN_SENTENCE_SUPPORT = 0.2  # a sentence's distance from 0.5
MIN_WORD_EFFECT = 0.05
FLOOR = 0.95  # of the sure verdicts
SECONDS = 28.0


@dataclass(frozen=True)
class Support:
    """What supports one sure verdict: a sentence, and a marked word; and whether the review is mixed."""

    sentence: bool
    word: bool
    mixed: bool


class PackagedScorer:
    """Scores rows with the packaged model, in this process."""

    def __init__(self, packaged: Release) -> None:
        model = (ROOT / MODEL_FOLDER / MODEL_NAME).read_bytes()
        packaged.check_model(model)
        self._booster = load_booster(model)
        self._columns = packaged.facts.columns

    def scores(self, rows: Sequence[str], _remaining_seconds: Callable[[], float]) -> Scores:
        """Return the probability of positive for each row."""
        probabilities = self._booster.predict(xgboost.DMatrix(matrix(rows, self._columns), nthread=1))
        return Scores([float(probability) for probability in probabilities], "packaged")


def support_of(verdict: Verdict) -> Support | None:
    """Return what supports a verdict; None for one that is not sure."""
    if verdict.label == NOT_SURE:
        return None
    side = 1 if verdict.label == POSITIVE else -1
    explanation = verdict.explanation
    return Support(
        any(side * (sentence.score - 0.5) >= MIN_SENTENCE_SUPPORT for sentence in explanation.sentences),
        any(
            side * word.sentence_effect >= MIN_WORD_EFFECT and word.text not in FUNCTION_WORDS
            for word in explanation.words
        ),
        explanation.mixed,
    )


def measure(texts: Iterable[str], packaged: Release) -> list[Support]:
    """Explain reviews one by one; returns the support of those with a sure verdict."""
    scorer = PackagedScorer(packaged)
    verdicts = (predict([text], packaged, lambda: scorer, lambda: SECONDS, explain=True).single for text in texts)
    return [support for verdict in verdicts for support in [support_of(verdict)] if support]


def report(supports: Sequence[Support]) -> str:
    """Return the shares as text."""
    count = len(supports)
    both = sum(each.sentence and each.word for each in supports) / count
    return (
        f"Sure verdicts: {count}\n"
        f"With a sentence that supports the verdict: {sum(each.sentence for each in supports) / count:.1%}\n"
        f"With a marked word that supports the verdict: {sum(each.word for each in supports) / count:.1%}\n"
        f"With both: {both:.1%}; floor: {FLOOR:.0%}; met: {'yes' if both >= FLOOR else 'no'}\n"
        f"Mixed: {sum(each.mixed for each in supports) / count:.1%}"
    )


def main() -> None:
    """Measure the explanations of every 125th review of a split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, default=os.environ.get("ARCHIVE") or os.environ.get("VERDICT_ARCHIVE"))
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--every", type=int, default=EVERY)
    arguments = parser.parse_args()
    if arguments.archive is None:
        parser.error("Give the archive of reviews: --archive aclImdb_v1.tar.gz")
    reviews = (review.text for review in read_archive(arguments.archive).reviews if review.split == arguments.split)
    print(report(measure(islice(reviews, 0, None, arguments.every), release.load())))


if __name__ == "__main__":
    main()
