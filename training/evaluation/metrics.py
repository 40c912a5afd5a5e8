"""The figures of one split: plain numbers and lists, so that they go into JSON as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.data.reviews import LABEL_NAMES
from training.data.splits import FOLDS
from training.evaluation.predictions import Floats, Integers, Scored
from training.evaluation.thresholds import around, outside

CALIBRATION_BINS = 15
HISTOGRAM_BINS = 20
LENGTH_EDGES = (0, 10, 20, 40, 100, 150, 200, 300, 500, 1_000_000)  # words
CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # probability of the likelier label
MISTAKES = 20
_ROC_POINTS = 100

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """How well a model does on one split.

    Shares are 0..1. `accuracy_error` is the standard error of the accuracy, `calibration_error` the expected
    calibration error over 15 equal bins of probability. `answered` is the share of reviews outside the not-sure band,
    `answered_accuracy` how many of those answers are right. `confusion` is true label -> answered label -> reviews.
    `accuracy_spread` is the standard deviation of the folds' accuracies, None for the test.
    The lists are for tables and plots: a group has its name, reviews and accuracy; a bin of `reliability` its mean
    probability, share of positive and reviews; `histogram` is reviews by label name and bin of probability; `roc`
    and `trade_off` are points (false and true positive rate; answered and its accuracy).
    """

    reviews: int
    accuracy: float
    accuracy_error: float
    accuracy_spread: float | None
    auc: float
    log_loss: float
    calibration_error: float
    answered: float
    answered_accuracy: float
    confusion: dict[str, dict[str, int]]
    by_length: list[dict[str, Any]]
    by_rating: list[dict[str, Any]]
    by_confidence: list[dict[str, Any]]
    by_fold: list[dict[str, Any]]
    reliability: list[dict[str, float]]
    histogram: dict[str, list[int]]
    roc: list[list[float]]
    trade_off: list[list[float]]
    mistakes: list[dict[str, Any]]

    def headline(self) -> dict[str, float | None]:
        """Return the figures that a release states of a split, rounded to what they are good for."""
        names = ("accuracy", "accuracy_error", "auc", "log_loss", "calibration_error", "answered", "answered_accuracy")
        spread = None if self.accuracy_spread is None else round(self.accuracy_spread, 4)
        figures = {name: round(getattr(self, name), 4) for name in names}
        return {"reviews": self.reviews, **figures, "accuracy_spread": spread}


def measure(scored: Scored, band: tuple[float, float]) -> Figures:
    """Compute all figures of what was asked, given the not-sure band."""
    from sklearn.metrics import log_loss, roc_auc_score  # slow to import, and only needed here

    probabilities, labels = scored.probabilities, scored.labels
    right: Mask = (probabilities > 0.5) == labels
    accuracy, accuracy_error = accuracy_of(scored)
    reliability = _reliability(probabilities, labels)
    answered, answered_accuracy = outside(probabilities, labels, band)
    by_fold = _groups(scored.folds, right, range(FOLDS), str)
    return Figures(
        reviews=len(labels),
        accuracy=accuracy,
        accuracy_error=accuracy_error,
        accuracy_spread=float(np.std([fold["accuracy"] for fold in by_fold], ddof=1)) if len(by_fold) > 1 else None,
        auc=float(roc_auc_score(labels, probabilities)),
        log_loss=float(log_loss(labels, probabilities)),
        calibration_error=_calibration_error(reliability),
        answered=answered,
        answered_accuracy=answered_accuracy,
        confusion=_confusion(probabilities, labels),
        by_length=_by_length(scored.word_counts, right),
        by_rating=_groups(scored.ratings, right, sorted(set(scored.ratings.tolist()) - {0}), str),
        by_confidence=_by_confidence(probabilities, right),
        by_fold=by_fold,
        reliability=reliability,
        histogram=_histogram(probabilities, labels),
        roc=_roc(probabilities, labels),
        trade_off=[list(outside(probabilities, labels, around(steps))) for steps in range(46)],
        mistakes=_mistakes(scored, right),
    )


def accuracy_of(scored: Scored) -> tuple[float, float]:
    """Return the accuracy, the not-sure band aside, and its standard error."""
    accuracy = float(((scored.probabilities > 0.5) == scored.labels).mean())
    return accuracy, float(np.sqrt(accuracy * (1 - accuracy) / len(scored.labels)))


def _confusion(probabilities: Floats, labels: Integers) -> dict[str, dict[str, int]]:
    """Count true label -> answered label, the not-sure band aside."""
    answers = (probabilities > 0.5).astype(int)
    return {
        true: {answer: int(((labels == i) & (answers == j)).sum()) for j, answer in enumerate(LABEL_NAMES)}
        for i, true in enumerate(LABEL_NAMES)
    }


def _reliability(probabilities: Floats, labels: Integers) -> list[dict[str, float]]:
    """Return the mean probability, share of positive and number of reviews of every bin that holds any."""
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        {
            "probability": float(probabilities[bins == i].mean()),
            "positive": float(labels[bins == i].mean()),
            "reviews": int((bins == i).sum()),
        }
        for i in np.unique(bins)
    ]


def _calibration_error(reliability: Sequence[dict[str, float]]) -> float:
    """Return the mean distance of probability and share of positive over the bins, weighted by their reviews."""
    total = sum(part["reviews"] for part in reliability)
    return sum(part["reviews"] * abs(part["probability"] - part["positive"]) for part in reliability) / total


def _histogram(probabilities: Floats, labels: Integers) -> dict[str, list[int]]:
    """Count reviews by label name and bin of probability."""
    return {
        name: np.histogram(probabilities[labels == label], bins=HISTOGRAM_BINS, range=(0, 1))[0].tolist()
        for label, name in enumerate(LABEL_NAMES)
    }


def _groups(values: Integers, right: Mask, keys: Sequence[int], name: Callable[[int], str]) -> list[dict[str, Any]]:
    """Return the accuracy of each group of reviews that holds any."""
    return [
        {"name": name(key), "reviews": int((values == key).sum()), "accuracy": float(right[values == key].mean())}
        for key in keys
        if (values == key).any()
    ]


def _by_length(word_counts: Integers, right: Mask) -> list[dict[str, Any]]:
    """Return the accuracy by number of words."""

    def name(bin_number: int) -> str:
        low, high = LENGTH_EDGES[bin_number - 1 : bin_number + 1]
        return f"{low}+" if high == LENGTH_EDGES[-1] else f"{low}-{high - 1}"

    bins = np.digitize(word_counts, LENGTH_EDGES)
    return _groups(bins, right, range(1, len(LENGTH_EDGES)), name)


def _by_confidence(probabilities: Floats, right: Mask) -> list[dict[str, Any]]:
    """Return the accuracy by the probability of the likelier label."""

    def name(bin_number: int) -> str:
        low, high = (round(edge * 100) for edge in CONFIDENCE_EDGES[bin_number - 1 : bin_number + 1])
        return f"{low}-{high} %"

    surer = np.maximum(probabilities, 1 - probabilities)
    bins = np.minimum(np.digitize(surer, CONFIDENCE_EDGES), len(CONFIDENCE_EDGES) - 1)
    return _groups(bins, right, range(1, len(CONFIDENCE_EDGES)), name)


def _roc(probabilities: Floats, labels: Integers) -> list[list[float]]:
    """Return points of the ROC curve: (false positive rate, true positive rate)."""
    from sklearn.metrics import roc_curve

    false_rate, true_rate, _ = roc_curve(labels, probabilities)
    grid = np.linspace(0, 1, _ROC_POINTS + 1) ** 2  # closer together where the curve bends
    points = np.round(np.column_stack([grid, np.interp(grid, false_rate, true_rate)]), 5)
    return [list(point) for point in points.tolist()]


def _mistakes(scored: Scored, right: Mask) -> list[dict[str, Any]]:
    """Return the wrong answers that the model was surest of, the surest first."""
    wrong = np.flatnonzero(~right)
    surest = wrong[np.argsort(-np.abs(scored.probabilities[wrong] - 0.5), kind="stable")][:MISTAKES]
    return [
        {
            "id": scored.ids[i],
            "label": LABEL_NAMES[scored.labels[i]],
            "rating": int(scored.ratings[i]) or None,
            "words": int(scored.word_counts[i]),
            "probability": round(float(scored.probabilities[i]), 4),
        }
        for i in surest
    ]
