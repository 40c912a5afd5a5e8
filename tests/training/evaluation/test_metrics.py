import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from training.data.splits import TEST
from training.evaluation.metrics import Figures, measure
from training.evaluation.predictions import ScoredReviews

PROBABILITIES = np.array([0.9, 0.8, 0.3, 0.1, 0.2, 0.6])
LABELS = np.array([1, 1, 1, 0, 0, 0])


def scored(**changed: Any) -> ScoredReviews:
    fields: dict[str, Any] = {
        "ids": [f"test/{'pos' if label else 'neg'}/{i}" for i, label in enumerate(LABELS)],
        "labels": LABELS,
        "ratings": np.array([10, 7, 7, 1, 4, 4]),
        "folds": np.array([0, 1, 1, 3, 3, 3]),
        "word_counts": np.array([9, 39, 40, 149, 500, 9000]),
        "known_shares": np.ones(6),
        "probabilities": PROBABILITIES,
    }
    return ScoredReviews(**{**fields, **changed})


@pytest.fixture
def figures() -> Figures:
    return measure(scored(), (0.35, 0.65))


def test_the_headline_agrees_with_the_formulas(figures: Figures) -> None:
    likelihood = [0.9, 0.8, 0.3, 0.9, 0.8, 0.4]
    assert figures.accuracy == pytest.approx(4 / 6)
    assert figures.auc == pytest.approx(8 / 9)  # one of nine pairs is in the wrong order: 0.3 below 0.6
    assert figures.log_loss == pytest.approx(-np.mean(np.log(likelihood)))
    assert figures.calibration_error == pytest.approx((0.1 + 0.2 + 0.7 + 0.1 + 0.2 + 0.6) / 6)  # a bin each
    assert (figures.answered, figures.answered_accuracy) == (pytest.approx(5 / 6), pytest.approx(4 / 5))
    assert figures.headline()["accuracy"] == 0.6667


def test_confusion_is_by_true_and_predicted_label(figures: Figures) -> None:
    assert figures.confusion == {
        "negative": {"negative": 2, "positive": 1},
        "positive": {"negative": 1, "positive": 2},
    }


def test_groups_are_by_stars_and_by_length(figures: Figures) -> None:
    assert [(group["name"], group["reviews"], group["accuracy"]) for group in figures.by_rating] == [
        ("1", 1, 1.0),
        ("4", 2, 0.5),
        ("7", 2, 0.5),
        ("10", 1, 1.0),
    ]
    assert [(group["name"], group["reviews"]) for group in figures.by_length] == [
        ("0-9", 1),
        ("20-39", 1),
        ("40-99", 1),
        ("100-149", 1),
        ("500+", 2),
    ]


def test_folds_have_accuracies_and_a_spread(figures: Figures) -> None:
    assert [(fold["name"], fold["reviews"], fold["accuracy"]) for fold in figures.by_fold] == [
        ("0", 1, 1.0),
        ("1", 2, 0.5),
        ("3", 3, pytest.approx(2 / 3)),
    ]
    assert figures.accuracy_spread == pytest.approx(np.std([1, 1 / 2, 2 / 3], ddof=1))
    assert figures.headline()["accuracy_spread"] == round(figures.accuracy_spread, 4)


@pytest.mark.parametrize("folds", [[TEST] * 6, [2] * 6])
def test_there_is_no_spread_without_two_folds(folds: list[int]) -> None:
    figures = measure(scored(folds=np.array(folds)), (0.35, 0.65))
    assert figures.accuracy_spread is None
    assert figures.headline()["accuracy_spread"] is None


def test_the_test_has_no_folds() -> None:
    assert measure(scored(folds=np.array([TEST] * 6)), (0.35, 0.65)).by_fold == []


def test_groups_are_by_probability_of_the_likelier_label() -> None:
    probabilities = np.array([0.5, 0.55, 0.41, 0.9, 0.04, 1.0])  # of the likelier label: 50, 55, 59, 90, 96 and 100 %
    figures = measure(scored(probabilities=probabilities, labels=np.array([0, 0, 0, 1, 1, 1])), (0.35, 0.65))
    assert [(group["name"], group["reviews"], group["accuracy"]) for group in figures.by_confidence] == [
        ("50-60 %", 3, pytest.approx(2 / 3)),
        ("90-95 %", 1, 1.0),
        ("95-99 %", 1, 0.0),
        ("99-100 %", 1, 1.0),
    ]
    assert sum(group["reviews"] for group in figures.by_confidence) == figures.reviews


def test_every_review_is_in_a_group_by_confidence() -> None:
    probabilities = np.linspace(0, 1, 1_001)
    labels = np.arange(1_001) % 2
    many = ScoredReviews(["id"] * 1_001, labels, labels, labels, labels, probabilities, probabilities)
    assert sum(group["reviews"] for group in measure(many, (0.4, 0.6)).by_confidence) == 1_001


def test_the_most_confident_mistakes_come_first(figures: Figures) -> None:
    assert [(mistake["id"], mistake["probability"]) for mistake in figures.mistakes] == [
        ("test/pos/2", 0.3),
        ("test/neg/5", 0.6),
    ]


def test_figures_go_into_json_unchanged(figures: Figures) -> None:
    assert json.loads(json.dumps(asdict(figures)))["histogram"]["positive"][18] == 1
