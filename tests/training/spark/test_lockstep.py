"""Minimisations in lockstep, beside each by itself."""

import numpy as np
import pytest
from scipy.optimize import minimize

from training.features.ngram_weights import NO_EARLY_STOP, Floats
from training.spark.lockstep import Evaluated, minimize_together

CENTRES = [np.array([1.0, -2.0]), np.array([0.0, 0.0]), np.array([30.0, 4.0])]
STEPS = 25


def loss(number: int, point: Floats) -> Evaluated:
    """A quartic bowl around a centre."""
    away = point - CENTRES[number]
    return float((away**4).sum() + away @ away), 4 * away**3 + 2 * away


def test_each_result_is_that_of_a_minimisation_by_itself() -> None:
    starts = [np.array([5.0, 5.0]), np.zeros(2), np.array([-1.0, 9.0])]
    calls: list[list[int]] = []

    def evaluate(numbers: list[int], points: list[Floats]) -> list[Evaluated]:
        calls.append(numbers)
        return [loss(number, point) for number, point in zip(numbers, points, strict=True)]

    together = minimize_together(evaluate, starts, STEPS)
    options = {"maxiter": STEPS, **NO_EARLY_STOP}
    for number, start in enumerate(starts):
        alone = minimize(lambda x, n=number: loss(n, x), start, jac=True, method="L-BFGS-B", options=options)
        assert (together[number] == alone.x).all()
    assert calls[0] == [0, 1, 2]
    assert all(calls)
    assert sum(map(len, calls)) > len(calls)


def test_an_error_of_an_evaluation_ends_all_threads() -> None:
    def evaluate(_numbers: list[int], _points: list[Floats]) -> list[Evaluated]:
        raise ArithmeticError("no value")

    with pytest.raises(ArithmeticError, match="no value"):
        minimize_together(evaluate, CENTRES, STEPS)


def test_an_error_of_a_minimisation_is_raised() -> None:
    with pytest.raises(TypeError, match="not supported between instances"):
        minimize_together(lambda numbers, _: [("none", np.zeros(2)) for _ in numbers], CENTRES, STEPS)  # type: ignore[misc]
