"""Figures -> plots, as small SVG that takes its ink from the page around it, so that it reads in light and in dark."""

import io
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from training.evaluation.learning_curve import LearningCurve
from training.evaluation.metrics import HISTOGRAM_BINS, Figures

# Stand-ins that no other ink has -> what the page's style sheet calls them.
_INK = {
    "#010203": "currentColor",
    "#010204": "var(--positive)",
    "#010205": "var(--negative)",
    "#010206": "var(--faint)",
    "#010207": "var(--crops)",
    "#010208": "var(--line)",
}
INK, POSITIVE, NEGATIVE, FAINT, CROPS, LINE = _INK
_SERIES = (POSITIVE, CROPS)  # whole reviews, then crops of them, in every plot
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "verdict",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 11,  # of 320 points' width: as large as the text around it
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 7,
    "ytick.major.pad": 5,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    **{f"axes.spines.{side}": False for side in ("top", "right", "left")},
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "axes.edgecolor": FAINT,
}
_METRICS = {"logloss": "log loss"}
_ROUND_POINTS = 150


class Plot(NamedTuple):
    """A caption and the SVG element it describes."""

    caption: str
    svg: str


def _plot(name: str, caption: str, draw: Callable[[Axes], None]) -> Plot:
    """Draw on fresh axes; ids within the SVG begin with the plot's name."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.5, 3.1), layout="constrained")  # inches
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = _slim(file.getvalue())
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for stand_in, ink in _INK.items():
        svg = svg.replace(stand_in, ink)
    return Plot(caption, svg.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1))


def _slim(svg: str) -> str:
    """Leave out of matplotlib's SVG what a browser does not need, and digits that nobody can see."""
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.S)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"| xmlns(:xlink)?="[^"]*"| version="1.1"', "", svg)
    svg = (
        svg.replace("xlink:href", "href")
        .replace("; stroke-linejoin: miter", "")
        .replace("; stroke-linecap: square", "")
    )
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r"(?<=[\d]\.)(\d)\d+", r"\1", svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def basis_plots(basis: str, asked: Mapping[str, Figures]) -> dict[str, Plot]:
    """Return the plots of what was asked on one basis, such as the test: name -> plot, a curve or panel for each.

    `asked` is a few words for what was asked about -> its figures: whole reviews, and crops where there were any.
    """
    lines = {
        "trade_off": (
            "How many answers are right, by the share of texts that get one; the dots are the chosen band",
            _trade_off,
        ),
        "reliability": ("Are its probabilities true? Share of positive by probability of positive", _reliability),
        "roc": ("ROC curve", _roc),
    }
    plots = {
        name: _plot(f"{basis}-{name}", caption, partial(draw, asked=asked)) for name, (caption, draw) in lines.items()
    }
    for number, (what, figures) in enumerate(asked.items()):
        caption = f"How sure it is of {what}: how many by probability of positive"
        plots[f"histogram_{number}"] = _plot(
            f"{basis}-histogram-{number}", caption, partial(_histogram, figures=figures)
        )
    return plots


def training_plot(history: Mapping[str, Mapping[str, list[float]]], metric: str, kept: int) -> Plot:
    """Return the plot of a metric over the rounds of training."""
    called = _METRICS.get(metric, metric)

    def draw(axes: Axes) -> None:
        for split, label, ink, style in (
            ("train", "learned from", INK, ":"),
            ("validation", "held out", POSITIVE, "-"),
        ):
            values = history[split][metric]
            step = max(1, len(values) // _ROUND_POINTS)
            axes.plot(range(1, len(values) + 1, step), values[::step], style, color=ink, label=label)
        axes.axvline(kept, color=FAINT, linewidth=1)
        axes.set(xlabel="round", ylabel=called, ylim=(0, None))
        axes.legend()

    return _plot("rounds", f"By round: mean {called} of the five folds; the line marks the last round kept", draw)


def learning_plot(curve: LearningCurve) -> Plot:
    """Return the plot of accuracy over the number of reviews learned from."""
    points = curve.points
    sizes = [point.reviews for point in points]

    def draw(axes: Axes) -> None:
        wholes = [(point.reviews, point.accuracy, point.error) for point in points]
        crops = [(p.reviews, p.crops, p.crops_error) for p in points if p.crops is not None]
        for label, ink, series in (("whole reviews", POSITIVE, wholes), ("a few sentences", CROPS, crops)):
            if series:
                x, y, error = zip(*series, strict=True)
                axes.errorbar(x, y, error, fmt="o-", color=ink, label=label, elinewidth=1)
        axes.set(xlabel="reviews learned from", ylabel="accuracy", xscale="log")
        axes.xaxis.set_major_locator(FixedLocator(sizes))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        _in_percent(axes, "y")
        axes.legend()

    return _plot("learning", "Cross-validated accuracy by number of reviews; the bars are standard errors", draw)


def _in_percent(axes: Axes, which: str) -> None:
    """Write the ticks of axes, "x", "y" or "xy", as percentages."""
    for name in which:
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(share * 100, 3):g}%"))


def _trade_off(axes: Axes, asked: Mapping[str, Figures]) -> None:
    for ink, (what, figures) in zip(_SERIES, asked.items(), strict=False):
        points = [point for point in figures.trade_off if point[0]]
        axes.plot(*zip(*points, strict=True), color=ink, label=what)
        axes.plot([figures.answered], [figures.answered_accuracy], "o", color=ink, markersize=7)
        axes.annotate(
            f"{figures.answered_accuracy:.1%} of {figures.answered:.0%}",
            (figures.answered, figures.answered_accuracy),
            (-8, -5),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=10,
        )
    axes.set(xlabel="share that gets an answer", ylabel="of those, right", xlim=(None, 1.005), ylim=(None, 1))
    _in_percent(axes, "xy")
    axes.legend(loc="lower left")


def _reliability(axes: Axes, asked: Mapping[str, Figures]) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for ink, (what, figures) in zip(_SERIES, asked.items(), strict=False):
        bins = [(part["probability"], part["positive"]) for part in figures.reliability]
        axes.plot(*zip(*bins, strict=True), "o-", color=ink, label=what)
    axes.set(xlabel="probability of positive", ylabel="of those, positive", xlim=(0, 1), ylim=(0, 1))
    _in_percent(axes, "xy")
    axes.legend()


def _histogram(axes: Axes, figures: Figures) -> None:
    places = [(i + 0.5) / HISTOGRAM_BINS for i in range(HISTOGRAM_BINS)]
    below = figures.histogram["negative"]
    axes.bar(places, below, 0.9 / HISTOGRAM_BINS, color=NEGATIVE, label="negative")
    axes.bar(places, figures.histogram["positive"], 0.9 / HISTOGRAM_BINS, below, color=POSITIVE, label="positive")
    axes.set(xlabel="probability of positive", ylabel="reviews", xlim=(0, 1))
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    _in_percent(axes, "x")
    axes.legend(loc="upper center")


def _roc(axes: Axes, asked: Mapping[str, Figures]) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for ink, (what, figures) in zip(_SERIES, asked.items(), strict=False):
        axes.plot(*zip(*figures.roc, strict=True), color=ink, label=what)
    axes.set(xlabel="of negative, called positive", ylabel="of positive, found", xlim=(0, 1), ylim=(0, 1.01))
    _in_percent(axes, "xy")
    axes.legend(loc="lower right")
