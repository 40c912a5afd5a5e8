from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from training.features import lbfgs

Function = Callable[[lbfgs.Vector], tuple[float, lbfgs.Vector]]


def search(function: Function, start: lbfgs.Vector, steps: int) -> lbfgs.Vector:
    """Evaluate a function at the points of a search."""
    searching = lbfgs.minimize(start, steps)
    point = next(searching)
    while True:
        try:
            point = searching.send(function(point))
        except StopIteration as end:
            return np.asarray(end.value)


def rosenbrock(point: lbfgs.Vector) -> tuple[float, lbfgs.Vector]:
    x, y = (float(each) for each in point)
    gradient = [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2, np.array(gradient, np.float32)


def test_the_minimum_of_a_curved_valley_is_found() -> None:
    assert search(rosenbrock, np.array([-1.2, 1], np.float32), 60) == pytest.approx([1, 1], abs=1e-2)


def test_a_logistic_regression_has_the_solution_of_scipy() -> None:
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(200, 10))
    labels = (rows @ generator.normal(size=10) + generator.normal(size=200) > 0).astype(float)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = rows @ point
        value = float(np.mean(np.logaddexp(0, log_odds) - labels * log_odds)) + 0.01 * float(point @ point)
        return value, rows.T @ (1 / (1 + np.exp(-log_odds)) - labels) / len(labels) + 0.02 * point

    expected = scipy_minimize(loss, np.zeros(10), jac=True, method="L-BFGS-B").x

    def single(point: lbfgs.Vector) -> tuple[float, lbfgs.Vector]:
        value, gradient = loss(point.astype(np.float64))
        return value, gradient.astype(np.float32)

    assert search(single, np.zeros(10, np.float32), 50) == pytest.approx(expected, abs=1e-3)


def test_no_step_leaves_the_start() -> None:
    start = np.array([3, 4], np.float32)
    assert search(rosenbrock, start, 0).tolist() == [3, 4]


def test_a_minimum_at_the_start_is_kept() -> None:
    assert search(rosenbrock, np.array([1, 1], np.float32), 9).tolist() == [1, 1]
