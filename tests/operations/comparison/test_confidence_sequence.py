import math

import numpy as np
import pytest

from operations.comparison.confidence_sequence import (
    ALPHA,
    Difference,
    Outcomes,
    critical_value,
    of_pairs,
    of_two_samples,
    planned,
)

COMPARISONS, DAYS = 1000, 60


def daily(share: float, per_day: int, chance: np.random.Generator) -> np.ndarray:
    """Return the cumulated number of ones by comparison and day."""
    ones: np.ndarray = chance.binomial(per_day, share, size=(COMPARISONS, DAYS)).cumsum(axis=1)
    return ones


def looks(
    new_share: float, baseline_share: float, new_per_day: int, baseline_per_day: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the intervals of all comparisons, by day."""
    chance = np.random.default_rng(seed)
    new, baseline = daily(new_share, new_per_day, chance), daily(baseline_share, baseline_per_day, chance)
    lows, highs = [], []
    for day in range(DAYS):
        counts = ((day + 1) * new_per_day, (day + 1) * baseline_per_day)
        ends = [
            of_two_samples(Outcomes(float(ones), counts[0]), Outcomes(float(others), counts[1]))
            for ones, others in zip(new[:, day], baseline[:, day], strict=True)
        ]
        lows.append([end.low for end in ends])
        highs.append([end.high for end in ends])
    return np.array(lows), np.array(highs)


@pytest.mark.parametrize(
    ("share", "new_per_day", "baseline_per_day"), [(0.92, 20, 20), (0.92, 4, 36), (0.5, 5, 5), (0.99, 10, 10)]
)
def test_looking_every_day_finds_no_difference_where_there_is_none(
    share: float, new_per_day: int, baseline_per_day: int
) -> None:
    lows, highs = looks(share, share, new_per_day, baseline_per_day, seed=1)
    wrong = ((lows > 0) | (highs < 0)).any(axis=0).mean()
    assert wrong <= ALPHA


def test_looking_every_day_at_usual_intervals_does() -> None:
    chance = np.random.default_rng(1)
    new, baseline = daily(0.92, 20, chance), daily(0.92, 20, chance)
    counts = 20 * np.arange(1, DAYS + 1)
    shares, others = new / counts, baseline / counts
    errors = np.sqrt((shares * (1 - shares) + others * (1 - others)) / counts)
    wrong = (np.abs(shares - others) > 1.96 * errors)[:, 2:].any(axis=1).mean()
    assert wrong > 4 * ALPHA


def test_the_true_difference_is_inside_on_all_days() -> None:
    lows, highs = looks(0.92, 0.88, 20, 20, seed=2)
    assert ((lows <= 0.04) & (highs >= 0.04)).all(axis=0).mean() >= 1 - ALPHA


def test_a_real_difference_is_found() -> None:
    lows, _ = looks(0.94, 0.85, 20, 20, seed=3)
    assert (lows > 0).any(axis=0).mean() > 0.95


def test_the_interval_excludes_zero_after_the_predicted_outcomes() -> None:
    so_far = of_two_samples(Outcomes(94, 100), Outcomes(90, 100))
    more = so_far.outcomes_to_detect(so_far.value)
    each = (200 + more) // 2
    then = of_two_samples(Outcomes(0.94 * each, each), Outcomes(0.90 * each, each))
    assert then.low == pytest.approx(0.0, abs=0.004)
    assert 1500 < more < 3500
    assert then.outcomes_to_detect(0.05) == 0


def test_a_smaller_difference_needs_more_outcomes() -> None:
    so_far = of_two_samples(Outcomes(94, 100), Outcomes(90, 100))
    assert so_far.outcomes_to_detect(0.01) > 8 * so_far.outcomes_to_detect(0.04)


def test_pairs_need_fewer_texts_than_two_samples() -> None:
    two_samples = of_two_samples(Outcomes(940, 1000), Outcomes(900, 1000))
    pairs = of_pairs(60, 20, 1000)
    assert pairs.value == pytest.approx(two_samples.value)
    assert pairs.half_width < 0.8 * two_samples.half_width


def test_pairs_without_a_difference_cover_zero_on_all_days() -> None:
    chance = np.random.default_rng(4)
    per_day = chance.multinomial(20, [0.04, 0.04, 0.92], size=(COMPARISONS, DAYS)).cumsum(axis=1)
    wrong = [
        any(
            abs(difference.value) > difference.half_width
            for day in range(2, DAYS)
            for difference in [of_pairs(int(days[day, 0]), int(days[day, 1]), 20 * (day + 1))]
        )
        for days in per_day[:300]
    ]
    assert np.mean(wrong) <= ALPHA


def test_without_outcomes_nothing_is_known() -> None:
    unknown = of_two_samples(Outcomes(0, 0), Outcomes(90, 100))
    few = of_two_samples(Outcomes(29, 29), Outcomes(0, 100))
    for difference in (unknown, few, of_pairs(0, 0, 0), of_pairs(20, 0, 29)):
        assert (difference.low, difference.high, difference.half_width) == (-math.inf, math.inf, math.inf)


def test_outcomes_can_be_planned_before_there_are_any() -> None:
    even, uneven = planned(0.92, 1.0, 1.0), planned(0.92, 1.0, 9.0)
    assert 5_000 < even.outcomes_to_detect(0.02) < 8_000
    assert uneven.outcomes_to_detect(0.02) > 2.5 * even.outcomes_to_detect(0.02)
    measured = of_two_samples(Outcomes(920, 1000), Outcomes(920, 1000))
    expected = even.outcomes_to_detect(0.02) - 2000
    assert measured.outcomes_to_detect(0.02) == pytest.approx(expected, rel=0.05)


def test_outcomes_that_are_all_equal_are_no_proof() -> None:
    difference = of_two_samples(Outcomes(30, 30), Outcomes(29, 30))
    assert difference.low < 0 < difference.high


def test_intervals_are_wider_than_usual_ones_and_tightest_where_tuned() -> None:
    assert critical_value(1000) == pytest.approx(3.03, abs=0.01)
    assert all(critical_value(count) > 1.96 for count in (1, 10, 10**3, 10**6))
    assert Difference(0.0, 0.01, 1000, 1000.0, alpha=0.01).half_width > Difference(0.0, 0.01, 1000, 1000.0).half_width
