import numpy as np
import pytest

from training.evaluation.thresholds import (
    PRECISION,
    PrecisionTarget,
    coverage_and_precision,
    few_known_words,
    not_sure_band,
)

PROBABILITIES = np.array([0.9, 0.1, 0.95, 0.3, 0.58, 0.61])  # wrong: 0.3 and 0.58
LABELS = np.array([1, 0, 1, 1, 0, 1])


@pytest.mark.parametrize(("precision", "band"), [(0.6, (0.45, 0.55)), (0.8, (0.41, 0.59)), (0.95, (0.29, 0.71))])
def test_the_band_is_the_narrowest_with_the_precision(precision: float, band: tuple[float, float]) -> None:
    assert not_sure_band([PrecisionTarget(PROBABILITIES, LABELS, precision)], 0.5) == band


def test_the_band_meets_every_target() -> None:
    easy = PrecisionTarget(np.array([0.9, 0.1]), np.array([1, 0]), 0.99)
    some, hard = (PrecisionTarget(PROBABILITIES, LABELS, precision) for precision in (0.8, 0.95))
    assert not_sure_band([easy, some], 0.5) == not_sure_band([some, easy], 0.5) == (0.41, 0.59)
    assert not_sure_band([some, hard], 0.5) == not_sure_band([hard, some], 0.5) == (0.29, 0.71)


def test_excerpts_may_have_another_target_than_whole_reviews() -> None:
    excerpts = PrecisionTarget(np.array([0.7, 0.62, 0.2]), np.array([1, 0, 0]), 0.6)
    assert not_sure_band([PrecisionTarget(PROBABILITIES, LABELS, 0.8), excerpts], 0.5) == (0.41, 0.59)
    stricter = excerpts._replace(precision=0.9)
    assert not_sure_band([PrecisionTarget(PROBABILITIES, LABELS, 0.8), stricter], 0.5) == (0.29, 0.71)


def test_without_targets_the_empty_score_decides_the_band() -> None:
    assert not_sure_band([], 0.5) == (0.45, 0.55)


@pytest.mark.parametrize(("empty_score", "band"), [(0.606, (0.5, 0.66)), (0.3, (0.25, 0.5)), (0.98, (0.5, 0.99))])
def test_the_band_contains_the_empty_score(empty_score: float, band: tuple[float, float]) -> None:
    sure = PrecisionTarget(np.array([0.9, 0.1]), np.array([1, 0]), PRECISION)
    assert not_sure_band([sure], empty_score) == band


def test_an_unreachable_precision_gives_the_widest_band() -> None:
    wrong = PrecisionTarget(np.array([0.999, 0.001]), np.array([0, 1]), PRECISION)
    right = PrecisionTarget(np.array([0.9, 0.1]), np.array([1, 0]), PRECISION)
    assert not_sure_band([wrong], 0.5) == not_sure_band([right, wrong], 0.5) == (0.05, 0.95)


def test_a_score_on_the_bands_edge_is_an_answer() -> None:
    found = coverage_and_precision(np.array([0.63, 0.37, 0.5]), np.array([1, 1, 1]), (0.37, 0.63))
    assert found == (pytest.approx(2 / 3), 0.5)


def test_without_answers_the_precision_is_zero() -> None:
    assert coverage_and_precision(np.array([0.5]), np.array([1]), (0.4, 0.6)) == (0.0, 0.0)


def test_few_known_words_is_below_ordinary_reviews_in_steps_of_5_percent() -> None:
    assert few_known_words(np.array([0.79] * 10 + [0.9] * 990)) == 0.75
    assert few_known_words(np.array([0.2] * 4 + [0.9] * 996)) == 0.9
