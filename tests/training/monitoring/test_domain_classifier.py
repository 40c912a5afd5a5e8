import random

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.monitoring.domain_classifier import auc_interval, separate


def reviews(count: int, seed: int, extra: str = "") -> list[list[str]]:
    generator = random.Random(seed)
    return [[*generator.choices([f"w{n}" for n in range(200)], k=20), *([extra] * (n % 2))] for n in range(count)]


def test_the_area_is_that_of_scikit_learn_with_ties() -> None:
    generator = np.random.default_rng(1)
    negative, positive = generator.integers(0, 10, 60).astype(float), generator.integers(2, 12, 90).astype(float)
    auc, low, high = auc_interval(negative, positive)
    labels = np.repeat([0, 1], [60, 90])
    assert auc == pytest.approx(roc_auc_score(labels, np.concatenate([negative, positive])))
    assert low < auc < high


def test_the_interval_covers_the_true_area_in_95_of_100_cases() -> None:
    """Normal scores one standard deviation apart have an area of 0.7602."""
    generator = np.random.default_rng(2)
    found = [auc_interval(generator.normal(size=100), generator.normal(1, size=100)) for _ in range(400)]
    covered = sum(low <= 0.7602 <= high for _, low, high in found)
    assert 365 <= covered <= 395


def test_the_words_that_separate_are_named() -> None:
    separation = separate(reviews(200, 1, "video"), reviews(120, 2, "stream"), seed=1)
    assert separation.low > 0.6
    assert separation.old_words[0][0] == "video"
    assert separation.new_words[0][0] == "stream"
    assert separation.old_words[0][1] < 0 < separation.new_words[0][1]


def test_equal_reviews_are_not_separated_and_the_result_is_repeatable() -> None:
    separation = separate(reviews(200, 1), reviews(200, 2), seed=1)
    assert separation.low < 0.5 < separation.high + 0.05
    assert separation == separate(reviews(200, 1), reviews(200, 2), seed=1)
