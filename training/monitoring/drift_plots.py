"""The plots of the drift report."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from training.evaluation.plots import EXCERPTS, POSITIVE, Plot, draw_plot, show_percentages
from training.monitoring.distributions import DRIFT, SOME_SHIFT, Shift
from training.monitoring.drift import Drift

THEN, NOW = POSITIVE, EXCERPTS  # colours
_LONGEST = 99  # percentile of the lengths that a plot shows


def drift_plots(drift: Drift) -> dict[str, Plot]:
    """Return the plots: name -> plot."""
    longest = max(np.percentile(side, _LONGEST) for side in (drift.old_lengths, drift.new_lengths))
    return {
        "scores": _histogram(
            "scores", "Scores: predicted probability of positive", drift.old_scores, drift.new_scores, 1.0
        ),
        "lengths": _histogram("lengths", "Lengths in words", drift.old_lengths, drift.new_lengths, float(longest)),
        "verdicts": _verdicts(drift.shifts["verdicts"]),
        "indexes": _indexes(drift.shifts),
    }


def _histogram(name: str, caption: str, old: Sequence[float], new: Sequence[float], longest: float) -> Plot:
    """Return the plot of the share of reviews by a figure, as two outlines."""
    edges = np.linspace(0, longest, 21)

    def draw(axes: Axes) -> None:
        for label, colour, values in (("then", THEN, old), ("now", NOW, new)):
            clipped = np.clip(values, 0, longest)
            axes.stairs(np.histogram(clipped, edges)[0] / len(values), edges, color=colour, label=label, linewidth=1.8)
        axes.set(ylabel="share of reviews", xlim=(0, longest), ylim=(0, None))
        show_percentages(axes, "xy" if longest == 1 else "y")
        axes.legend()

    return draw_plot(f"drift-{name}", caption, draw)


def _verdicts(shift: Shift) -> Plot:
    """Return the plot of the shares of the verdicts."""

    def draw(axes: Axes) -> None:
        places = np.arange(len(shift.bins))
        for offset, label, colour, shares in ((-0.2, "then", THEN, shift.old), (0.2, "now", NOW, shift.new)):
            axes.bar(places + offset, shares, 0.38, color=colour, label=label)
        axes.set(ylabel="share of reviews")
        axes.set_xticks(places, shift.bins)
        axes.grid(visible=False, axis="x")
        show_percentages(axes, "y")
        axes.legend()

    return draw_plot("drift-verdicts", "Verdicts", draw)


def _indexes(shifts: dict[str, Shift]) -> Plot:
    """Return the plot of the stability indexes, beside their marks."""

    def draw(axes: Axes) -> None:
        names = list(reversed(shifts))
        axes.barh(names, [shifts[name].psi for name in names], 0.5, color=NOW)
        for mark in (SOME_SHIFT, DRIFT):
            axes.axvline(mark, color=POSITIVE, linewidth=1, linestyle="--")
        axes.set(xlabel="PSI", xlim=(0, max(0.3, *(shift.psi * 1.05 for shift in shifts.values()))))
        axes.grid(visible=False, axis="y")

    return draw_plot("drift-psi", f"Population stability index; dashed: the marks {SOME_SHIFT} and {DRIFT}", draw)
