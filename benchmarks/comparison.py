"""Comparisons of two implementations, measured in turns.

A machine's noise changes over time. Therefore the two are measured in turns, and their ratio counts: that of the
medians, and that of the minima.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Comparison:
    """The measurements of Verdict and of another implementation, in the same unit; less is better.

    `limit` is the largest allowed ratio of the medians, ours to theirs; None if there is no limit.
    """

    label: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    limit: float | None = None

    @property
    def ratio(self) -> float:
        """The ratio of the medians, ours to theirs."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def ratio_of_minima(self) -> float:
        """The ratio of the minima, the least disturbed measurements, ours to theirs."""
        return min(self.ours) / min(self.theirs)

    @property
    def is_met(self) -> bool | None:
        """Whether the ratio is within its limit; None if there is no limit."""
        return None if self.limit is None else self.ratio <= self.limit


def measure_in_turns(contestants: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, tuple[Measured, ...]]:
    """Measure each contestant once per round; returns the measurements of all rounds by name."""
    measured: dict[str, list[Measured]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            measured[name].append(measure())
    return {name: tuple(values) for name, values in measured.items()}
