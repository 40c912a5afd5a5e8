"""L-BFGS in single precision for a smooth function of many variables (Nocedal and Wright, 2006, algorithm 7.5).

`scipy.optimize` keeps account of bounds, of which there are none here, and in double precision, which takes nearly as
long as the passes over the texts. The steps are about the same. A search is a generator, so that many can take their
steps side by side.
"""

import math
from collections import deque
from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MEMORY = 10  # pairs of the latest changes of point and gradient
_DECREASE, _CURVATURE = 1e-3, 0.9  # of the Wolfe conditions
_TRIALS = 20  # of a step's length
_SMALLEST_GRADIENT = 1e-9
_LARGEST_GROWTH = 100.0  # of a step's length, from one trial to the next

Vector = npt.NDArray[np.float32]
Search = Generator[Vector, tuple[float, Vector], Vector]  # yields points, is sent the value and gradient of each
Pair = tuple[Vector, Vector, float]  # changes of point and of gradient, and their product


class _Trial(NamedTuple):
    """A length of a step, and the function there: its value, its slope along the step, and its gradient."""

    length: float
    value: float
    slope: float
    gradient: Vector


def minimize(start: Vector, steps: int) -> Search:
    """Yield points, to be sent the function's value and gradient at each; return the one after at most these steps."""
    point = start
    value, gradient = yield point
    pairs: deque[Pair] = deque(maxlen=MEMORY)
    for _ in range(steps):
        direction = _direction(pairs, gradient)
        origin = _Trial(0.0, value, dot(gradient, direction), gradient)
        size = 1.0 if pairs else 1 / max(math.sqrt(dot(direction, direction)), _SMALLEST_GRADIENT)
        if origin.slope >= 0 or np.abs(gradient).max() < _SMALLEST_GRADIENT:
            break
        found = yield from _search(point, direction, origin, size)
        if found is None:
            break
        change = np.float32(found.length) * direction
        turn = found.gradient - gradient
        product = dot(change, turn)
        if product > 0:
            pairs.append((change, turn, product))
        point, value, gradient = point + change, found.value, found.gradient
    return point


def _direction(pairs: deque[Pair], gradient: Vector) -> Vector:
    """Return the direction of the next step: the two-loop recursion."""
    direction = -gradient
    factors = []
    for change, turn, product in reversed(pairs):
        factors.append(np.float32(dot(change, direction) / product))
        direction -= factors[-1] * turn
    if pairs:
        _, turn, product = pairs[-1]
        direction *= np.float32(product / dot(turn, turn))
    for (change, turn, product), factor in zip(pairs, reversed(factors), strict=True):
        direction += (factor - np.float32(dot(turn, direction) / product)) * change
    return direction


def _search(
    point: Vector, direction: Vector, origin: _Trial, size: float
) -> Generator[Vector, tuple[float, Vector], _Trial | None]:
    """Return a length of the step that meets the strong Wolfe conditions; the best one if none is found in time."""
    low, high = origin, None
    for _ in range(_TRIALS):
        value, gradient = yield point + np.float32(size) * direction
        trial = _Trial(size, value, dot(gradient, direction), gradient)
        if value > origin.value + _DECREASE * size * origin.slope or (high and value >= low.value):
            high = trial
        elif abs(trial.slope) <= -_CURVATURE * origin.slope:
            return trial
        elif trial.slope > 0:
            high = trial
        else:
            low = trial
        size = _next_size(origin, low, high)
    return low if low.length else None


def _next_size(origin: _Trial, low: _Trial, high: _Trial | None) -> float:
    """Return the next length to try: where the slope would be 0 if it were linear, within limits."""
    if high is None:
        gain = low.slope - origin.slope
        return low.length * (min(max(-origin.slope / gain, 2.0), _LARGEST_GROWTH) if gain > 0 else _LARGEST_GROWTH)
    share = low.slope / (low.slope - high.slope) if high.slope > 0 else 0.5
    return low.length + min(max(share, 0.1), 0.9) * (high.length - low.length)


def dot(first: Vector, second: Vector) -> float:
    """Return the dot product, added in the same order on every kind of processor; that of BLAS is not."""
    return float(np.einsum("i,i", first, second))
