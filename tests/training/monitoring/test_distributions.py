import numpy as np
import pytest

from training.monitoring.distributions import category_shift, numeric_shift


def test_the_index_is_that_of_a_worked_example() -> None:
    """Shares 0.5, 0.3, 0.2 then and 0.3, 0.3, 0.4 now: -0.2 ln 0.6 + 0 + 0.2 ln 2 = 0.2408."""
    old = ["a"] * 5_000 + ["b"] * 3_000 + ["c"] * 2_000
    new = ["a"] * 3_000 + ["b"] * 3_000 + ["c"] * 4_000
    shift = category_shift("kinds", ("a", "b", "c"), old, new)
    assert shift.psi == pytest.approx(0.2408, abs=2e-3)
    assert shift.level == "some"
    assert shift.new == [0.3, 0.3, 0.4]


def test_equal_distributions_have_no_shift() -> None:
    values = np.arange(1_000.0)
    shift = numeric_shift("lengths", values, values, "{:.0f} words")
    assert shift.psi == 0
    assert shift.level == "none"
    assert sum(shift.old) == pytest.approx(1)
    assert shift.bins[0] == "up to 200 words"


def test_another_distribution_is_drift_and_an_empty_bin_is_finite() -> None:
    shift = numeric_shift("scores", np.linspace(0, 1, 500), np.linspace(0.9, 1, 200), "{:.1%}")
    assert shift.level == "drift"
    assert np.isfinite(shift.psi)


def test_chance_rarely_reaches_the_index_that_counts() -> None:
    """100 new reviews of the same distribution: the usual mark 0.1 alone would be passed in about one of ten cases."""
    generator = np.random.default_rng(1)
    shifts = [
        numeric_shift("scores", generator.normal(size=150), generator.normal(size=100), "{:.1f}") for _ in range(400)
    ]
    assert sum(shift.psi > 0.1 for shift in shifts) > 20
    assert sum(shift.level != "none" for shift in shifts) <= 3


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_constant_figure_is_compared_too(value: float) -> None:
    constant = np.full(200, 0.0)
    shift = numeric_shift("scores", constant, np.full(200, value), "{:.1f}")
    assert (shift.level == "drift") is bool(value)
