import json
from dataclasses import asdict

import numpy as np
import pytest

from training.metrics import measure
from training.scoring import Scored

PROBABILITIES = np.array([0.9, 0.8, 0.3, 0.1, 0.2, 0.6])
LABELS = np.array([1, 1, 1, 0, 0, 0])


@pytest.fixture
def figures():
    scored = Scored(
        ids=[f"test/{'pos' if label else 'neg'}/{i}" for i, label in enumerate(LABELS)],
        labels=LABELS,
        ratings=np.array([10, 7, 7, 1, 4, 4]),
        word_counts=np.array([50, 99, 100, 149, 500, 9000]),
        known_shares=np.ones(6),
        probabilities=PROBABILITIES,
    )
    return measure(scored, (0.35, 0.65))


def test_the_headline_is_what_the_formulas_give(figures):
    likelihood = [0.9, 0.8, 0.3, 0.9, 0.8, 0.4]
    assert figures.accuracy == pytest.approx(4 / 6)
    assert figures.auc == pytest.approx(8 / 9)  # of nine pairs, one is in the wrong order: 0.3 below 0.6
    assert figures.log_loss == pytest.approx(-np.mean(np.log(likelihood)))
    assert figures.calibration_error == pytest.approx((0.1 + 0.2 + 0.7 + 0.1 + 0.2 + 0.6) / 6)  # a bin each
    assert (figures.answered, figures.answered_accuracy) == (pytest.approx(5 / 6), pytest.approx(4 / 5))
    assert figures.headline()["accuracy"] == 0.6667


def test_confusion_is_by_true_and_answered_label(figures):
    assert figures.confusion == {
        "negative": {"negative": 2, "positive": 1},
        "positive": {"negative": 1, "positive": 2},
    }


def test_groups_are_by_stars_and_by_length(figures):
    assert [(group["name"], group["reviews"], group["accuracy"]) for group in figures.by_rating] == [
        ("1", 1, 1.0),
        ("4", 2, 0.5),
        ("7", 2, 0.5),
        ("10", 1, 1.0),
    ]
    assert [(group["name"], group["reviews"]) for group in figures.by_length] == [
        ("0-99", 2),
        ("100-149", 2),
        ("500+", 2),
    ]


def test_the_surest_mistakes_come_first(figures):
    assert [(mistake["id"], mistake["probability"]) for mistake in figures.mistakes] == [
        ("test/pos/2", 0.3),
        ("test/neg/5", 0.6),
    ]


def test_figures_go_into_json_as_they_are(figures):
    assert json.loads(json.dumps(asdict(figures)))["histogram"]["positive"][18] == 1
