"""Two things measured in turns, and what may be said of their ratio.

Machines are noisy, and the noise drifts: so the two take turns, and what counts is the ratio, by medians and by minima.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Comparison:
    """Ours beside theirs, in the same unit; less is better.

    `limit` is the largest ratio of the medians, ours to theirs, that was promised; None where nothing was.
    """

    what: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    limit: float | None = None

    @property
    def ratio(self) -> float:
        """Ours to theirs, by the medians."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def ratio_of_minima(self) -> float:
        """Ours to theirs, by what the least disturbed measurement of each gave."""
        return min(self.ours) / min(self.theirs)

    @property
    def holds(self) -> bool | None:
        """Whether the promise holds; None where there is none."""
        return None if self.limit is None else self.ratio <= self.limit


def in_turns(contestants: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, tuple[Measured, ...]]:
    """Measure each contestant once a round, in turns; returns what each gave, by name."""
    measured: dict[str, list[Measured]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            measured[name].append(measure())
    return {name: tuple(values) for name, values in measured.items()}
