"""The figures of a set of scored reviews, as plain numbers and lists that go into JSON unchanged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.data.reviews import LABEL_NAMES
from training.data.splits import FOLDS
from training.evaluation.predictions import Floats, Integers, ScoredReviews
from training.evaluation.thresholds import WIDEST_STEPS, band_of, coverage_and_precision

CALIBRATION_BINS = 15
HISTOGRAM_BINS = 20
LENGTH_EDGES = (0, 10, 20, 40, 100, 150, 200, 300, 500, 1_000_000)  # words
CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # probability of the likelier label
MISTAKES = 20
_ROC_POINTS = 100

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """How well a model does on a set of reviews.

    Shares are 0..1. `accuracy_error` is the standard error of the accuracy; `accuracy_spread` is the standard deviation
    of the folds' accuracies, None for reviews that are not in folds. `calibration_error` is the expected calibration
    error over 15 equal bins of probability. `answered` is the coverage, the share of reviews outside the not-sure band,
    and `answered_accuracy` the precision on those. `confusion` is true label -> predicted label -> reviews.

    The lists are for tables and plots. A group has a name, reviews and accuracy; a bin of `reliability` its mean
    probability, share of positive reviews, and reviews. `histogram` is label name -> reviews by bin of probability.
    `roc` has points (false positive rate, true positive rate); `trade_off` has points (coverage, precision), one per
    step of the band's width.
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
        """Return the figures that a release states, rounded to their precision."""
        names = ("accuracy", "accuracy_error", "auc", "log_loss", "calibration_error", "answered", "answered_accuracy")
        spread = None if self.accuracy_spread is None else round(self.accuracy_spread, 4)
        figures = {name: round(getattr(self, name), 4) for name in names}
        return {"reviews": self.reviews, **figures, "accuracy_spread": spread}


def measure(scored: ScoredReviews, band: tuple[float, float]) -> Figures:
    """Compute all figures of scored reviews, given the not-sure band."""
    from sklearn.metrics import log_loss, roc_auc_score  # slow to import, and only needed here

    probabilities, labels = scored.probabilities, scored.labels
    correct: Mask = (probabilities > 0.5) == labels
    accuracy, accuracy_error = accuracy_of(scored)
    reliability = _reliability(probabilities, labels)
    answered, answered_accuracy = coverage_and_precision(probabilities, labels, band)
    by_fold = _groups(scored.folds, correct, range(FOLDS), str)
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
        by_length=_by_length(scored.word_counts, correct),
        by_rating=_groups(scored.ratings, correct, sorted(set(scored.ratings.tolist()) - {0}), str),
        by_confidence=_by_confidence(probabilities, correct),
        by_fold=by_fold,
        reliability=reliability,
        histogram=_histogram(probabilities, labels),
        roc=_roc(probabilities, labels),
        trade_off=[
            list(coverage_and_precision(probabilities, labels, band_of(steps))) for steps in range(WIDEST_STEPS + 1)
        ],
        mistakes=_mistakes(scored, correct),
    )


def accuracy_of(scored: ScoredReviews) -> tuple[float, float]:
    """Return the accuracy, ignoring the not-sure band, and its standard error."""
    accuracy = float(((scored.probabilities > 0.5) == scored.labels).mean())
    return accuracy, float(np.sqrt(accuracy * (1 - accuracy) / len(scored.labels)))


def _confusion(probabilities: Floats, labels: Integers) -> dict[str, dict[str, int]]:
    """Count true label -> predicted label, ignoring the not-sure band."""
    predicted = (probabilities > 0.5).astype(int)
    return {
        true_name: {
            predicted_name: int(((labels == true) & (predicted == answer)).sum())
            for answer, predicted_name in enumerate(LABEL_NAMES)
        }
        for true, true_name in enumerate(LABEL_NAMES)
    }


def _reliability(probabilities: Floats, labels: Integers) -> list[dict[str, float]]:
    """Return the mean probability, share of positive reviews, and number of reviews of each bin that is not empty."""
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        {
            "probability": float(probabilities[bins == i].mean()),
            "positive": float(labels[bins == i].mean()),
            "reviews": int((bins == i).sum()),
        }
        for i in np.unique(bins)
    ]


def expected_calibration_error(probabilities: Floats, labels: Integers) -> float:
    """Return the expected calibration error of probabilities of positive, 0..1, over 15 equal bins."""
    return _calibration_error(_reliability(probabilities, labels))


def _calibration_error(reliability: Sequence[dict[str, float]]) -> float:
    """Return the mean distance between probability and share of positive reviews, weighted by the bins' reviews."""
    total = sum(each["reviews"] for each in reliability)
    return sum(each["reviews"] * abs(each["probability"] - each["positive"]) for each in reliability) / total


def _histogram(probabilities: Floats, labels: Integers) -> dict[str, list[int]]:
    """Count reviews by label name and bin of probability."""
    return {
        name: np.histogram(probabilities[labels == label], bins=HISTOGRAM_BINS, range=(0, 1))[0].tolist()
        for label, name in enumerate(LABEL_NAMES)
    }


def _groups(values: Integers, correct: Mask, keys: Sequence[int], name: Callable[[int], str]) -> list[dict[str, Any]]:
    """Return the name, size and accuracy of each group of reviews that is not empty."""
    return [
        {"name": name(key), "reviews": int((values == key).sum()), "accuracy": float(correct[values == key].mean())}
        for key in keys
        if (values == key).any()
    ]


def _by_length(word_counts: Integers, correct: Mask) -> list[dict[str, Any]]:
    """Return the accuracy by number of words."""
    bins = np.digitize(word_counts, LENGTH_EDGES)
    return _groups(bins, correct, range(1, len(LENGTH_EDGES)), length_name)


def length_name(bin_number: int) -> str:
    """Return the name of a bin of numbers of words, from 1: 2 -> `10-19`."""
    low, high = LENGTH_EDGES[bin_number - 1 : bin_number + 1]
    return f"{low}+" if high == LENGTH_EDGES[-1] else f"{low}-{high - 1}"


def _by_confidence(probabilities: Floats, correct: Mask) -> list[dict[str, Any]]:
    """Return the accuracy by confidence, the probability of the likelier label."""

    def name(bin_number: int) -> str:
        low, high = (round(edge * 100) for edge in CONFIDENCE_EDGES[bin_number - 1 : bin_number + 1])
        return f"{low}-{high} %"

    confidence = np.maximum(probabilities, 1 - probabilities)
    bins = np.minimum(np.digitize(confidence, CONFIDENCE_EDGES), len(CONFIDENCE_EDGES) - 1)
    return _groups(bins, correct, range(1, len(CONFIDENCE_EDGES)), name)


def _roc(probabilities: Floats, labels: Integers) -> list[list[float]]:
    """Return points of the ROC curve: (false positive rate, true positive rate)."""
    from sklearn.metrics import roc_curve

    false_rate, true_rate, _ = roc_curve(labels, probabilities)
    grid = np.linspace(0, 1, _ROC_POINTS + 1) ** 2  # closer together where the curve bends
    points = np.round(np.column_stack([grid, np.interp(grid, false_rate, true_rate)]), 5)
    return [list(point) for point in points.tolist()]


def _mistakes(scored: ScoredReviews, correct: Mask) -> list[dict[str, Any]]:
    """Return the most confident mistakes, the most confident first."""
    wrong = np.flatnonzero(~correct)
    most_confident = wrong[np.argsort(-np.abs(scored.probabilities[wrong] - 0.5), kind="stable")][:MISTAKES]
    return [
        {
            "id": scored.ids[i],
            "label": LABEL_NAMES[scored.labels[i]],
            "rating": int(scored.ratings[i]) or None,
            "words": int(scored.word_counts[i]),
            "probability": round(float(scored.probabilities[i]), 4),
        }
        for i in most_confident
    ]
