"""Figures -> plots, as SVG that takes its ink from the page around it, so that it reads in light and in dark."""

import io
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.metrics import HISTOGRAM_BINS, Figures

# Stand-ins that no other ink has -> what the page's style sheet calls them.
_INK = {
    "#010203": "currentColor",
    "#010204": "var(--positive)",
    "#010205": "var(--negative)",
    "#010206": "var(--faint)",
}
INK, POSITIVE, NEGATIVE, FAINT = _INK
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "verdict",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


def _svg(name: str, caption: str, draw: Callable[[Axes], None]) -> str:
    """Draw on fresh axes and return an SVG element, labelled by its caption, whose ids begin with the plot's name."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")  # inches
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    for stand_in, ink in _INK.items():
        svg = svg.replace(stand_in, ink)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)


def split_plots(split: str, figures: Figures) -> dict[str, str]:
    """Return the plots of one split: caption -> SVG."""
    drawings: list[tuple[str, str, partial[None]]] = [
        (
            "reliability",
            "Are its probabilities true? Share of positive reviews by probability",
            partial(_reliability, figures=figures),
        ),
        ("histogram", "How sure it is: reviews by probability of positive", partial(_histogram, figures=figures)),
        ("roc", "ROC curve", partial(_roc, figures=figures)),
        ("trade-off", "What a wider not-sure band buys", partial(_trade_off, figures=figures)),
        ("length", "Accuracy by length in words", partial(_groups, groups=figures.by_length)),
        ("rating", "Accuracy by stars", partial(_groups, groups=figures.by_rating)),
    ]
    return {
        caption: _svg(f"{split}-{name}", caption, draw)
        for name, caption, draw in drawings
        if draw.keywords != {"groups": []}
    }


def training_plot(history: Mapping[str, Mapping[str, list[float]]], metric: str, kept: int) -> str:
    """Return the plot of a metric over the rounds of training."""

    def draw(axes: Axes) -> None:
        for split, ink, style in (("train", INK, ":"), ("validation", POSITIVE, "-")):
            values = history[split][metric]
            step = max(1, len(values) // 300)
            axes.plot(range(1, len(values) + 1, step), values[::step], style, color=ink, label=split)
        axes.axvline(kept, color=FAINT, linewidth=1)
        axes.set(xlabel="round", ylabel=metric, ylim=(0, None))
        axes.legend(frameon=False)

    return _svg("training", f"{metric} by round of training", draw)


def _reliability(axes: Axes, figures: Figures) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    axes.plot(
        [part["probability"] for part in figures.reliability],
        [part["positive"] for part in figures.reliability],
        "o-",
        color=POSITIVE,
    )
    axes.set(xlabel="probability of positive", ylabel="share of positive", xlim=(0, 1), ylim=(0, 1))


def _histogram(axes: Axes, figures: Figures) -> None:
    places = [(i + 0.5) / HISTOGRAM_BINS for i in range(HISTOGRAM_BINS)]
    below = figures.histogram["negative"]
    axes.bar(places, below, 0.9 / HISTOGRAM_BINS, color=NEGATIVE, label="negative")
    axes.bar(places, figures.histogram["positive"], 0.9 / HISTOGRAM_BINS, below, color=POSITIVE, label="positive")
    axes.set(xlabel="probability of positive", ylabel="reviews")
    axes.legend(frameon=False)


def _roc(axes: Axes, figures: Figures) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    axes.plot(*zip(*figures.roc, strict=True), color=POSITIVE)
    axes.set(xlabel="negative reviews called positive", ylabel="positive reviews found", xlim=(0, 1), ylim=(0, 1.01))


def _trade_off(axes: Axes, figures: Figures) -> None:
    points = [point for point in figures.trade_off if point[0]]
    axes.plot(*zip(*points, strict=True), color=POSITIVE)
    axes.plot([figures.answered], [figures.answered_accuracy], "o", color=POSITIVE)
    axes.annotate(
        "the chosen band",
        (figures.answered, figures.answered_accuracy),
        (-6, -12),
        textcoords="offset points",
        ha="right",
    )
    axes.set(xlabel="share of reviews that get an answer", ylabel="accuracy of those")


def _groups(axes: Axes, groups: list[dict[str, Any]]) -> None:
    names = [group["name"] for group in groups]
    bars = axes.bar(names, [group["accuracy"] for group in groups], color=POSITIVE)
    axes.bar_label(bars, [f"{group['accuracy']:.1%}" for group in groups], fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.set(ylabel="accuracy (0.5 is a coin)", ylim=(0.5, 1.03))
