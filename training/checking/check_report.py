"""The report of a check: figures, plots, and each confident mistake with what the model was thinking."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chalicelib.sentiment import Verdict
from training.checking.check import Check, summary_rows
from training.checking.label_errors import LikelyError
from training.checking.neighbours import Neighbour, TrainingBags
from training.checking.new_reviews import NewReview
from training.data.reviews import LABEL_NAMES
from training.evaluation.plots import section_plots
from training.evaluation.report import report_environment
from training.prediction.judge import Judge
from training.prediction.review_files import Row

MISTAKES = 20
NEIGHBOURS = 4  # of each mistake
DECISIVE_WORDS = 8
QUOTED_CHARACTERS = 600
_TEMPLATE = "check.html"
_SET = "new reviews"


@dataclass(frozen=True)
class Mistake:
    """A misclassified review: its score, the words that decided it (text, effect), and its nearest training reviews."""

    review: NewReview
    probability: float
    words: list[tuple[str, float]]
    neighbours: list[Neighbour]


def mistakes_of(found: Check, judge: Judge, bags: TrainingBags | None) -> list[Mistake]:
    """Return the most confident mistakes; `judge` explains, and without `bags` no neighbours are looked for."""
    wrong = np.flatnonzero((found.scored.probabilities > 0.5) != found.scored.labels)
    order = wrong[np.argsort(-np.abs(found.scored.probabilities[wrong] - 0.5), kind="stable")][:MISTAKES]
    reviews = [found.reviews[place] for place in order]
    judged = judge.judge([Row((review.text,), review.text) for review in reviews])
    nearest = bags.nearest([review.text for review in reviews], NEIGHBOURS) if bags and reviews else [[]] * len(reviews)
    return [
        Mistake(review, float(found.scored.probabilities[place]), _decisive(each.outcome), neighbours)
        for review, place, each, neighbours in zip(reviews, order, judged, nearest, strict=True)
    ]


def _decisive(outcome: object) -> list[tuple[str, float]]:
    """Return the words of an explained verdict with the strongest effects on their sentences."""
    words = outcome.explanation.words if isinstance(outcome, Verdict) else ()
    return [(word.text, word.sentence_effect) for word in words[:DECISIVE_WORDS]]


def render(found: Check, mistakes: Sequence[Mistake], label_errors: Sequence[LikelyError], notes: Sequence[str]) -> str:
    """Return the HTML of a report."""
    environment = report_environment(Path(__file__).parent)
    environment.filters["quoted"] = _quoted
    environment.globals["LABELS"] = LABEL_NAMES
    return environment.get_template(_TEMPLATE).render(
        check=found,
        rows=summary_rows(found),
        plots=section_plots("check", {_SET: found.figures}),
        mistakes=mistakes,
        label_errors=label_errors,
        notes=notes,
    )


def _quoted(text: str) -> str:
    """Return the beginning of a review on one line."""
    line = " ".join(text.replace("<br />", " ").split())
    return line[:QUOTED_CHARACTERS] + ("…" if len(line) > QUOTED_CHARACTERS else "")
