"""The report's plots: small inline SVGs in the colours of the page's theme, light or dark."""

import io
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from training.evaluation.learning_curve import LearningCurve
from training.evaluation.metrics import HISTOGRAM_BINS, Figures

PALETTE = {  # the page's CSS variables -> their colours in the light theme, which the plots are drawn in
    "ink": "#211d2c",
    "faint": "#857e92",
    "line": "#d9d4c9",
    "positive": "#0a655b",
    "negative": "#9c3714",
    "excerpts": "#5b4fb3",
    "sentences": "#8a5a00",
}
INK, FAINT, LINE, POSITIVE, NEGATIVE, EXCERPTS, SENTENCES = PALETTE.values()
_SERIES = (POSITIVE, EXCERPTS, SENTENCES)  # the colours of whole reviews, excerpts and sentences in every plot
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "verdict",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 11,  # at a width of 320 points: as large as the text around the plot
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
_UNUSED_STYLES = ("stroke-linejoin: miter", "stroke-linecap: square")  # the page's style sheet sets both
_UNUSED_ATTRIBUTES = ("width", "height", "version")  # of the whole SVG, which the page scales
_MORE_DECIMALS = re.compile(r"(\d\.\d)\d+")  # beyond the first, which is a tenth of a point


class Plot(NamedTuple):
    """An SVG element and its caption."""

    caption: str
    svg: str


def draw_plot(name: str, caption: str, draw: Callable[[Axes], None]) -> Plot:
    """Draw on new axes; the ids within the SVG begin with the plot's name, as a page has several plots."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.5, 3.1), layout="constrained")  # inches
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = _without_namespaces(ElementTree.fromstring(file.getvalue()))
    _drop_unused(svg)
    _prefix_ids(svg, name)
    for element in svg.iter():
        element.attrib = {key: _themed(value) for key, value in element.items()}
    svg.attrib = {"role": "img", "aria-label": caption, **svg.attrib}
    return Plot(caption, ElementTree.tostring(svg, encoding="unicode"))


def _without_namespaces(svg: ElementTree.Element) -> ElementTree.Element:
    """Remove XML namespaces, which HTML does not use, from the names of elements and attributes."""
    for element in svg.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.items()}
    return svg


def _drop_unused(svg: ElementTree.Element) -> None:
    """Remove metadata, styles and sizes that the page sets itself, and line breaks between elements."""
    for element in svg.iter():
        for child in [child for child in element if child.tag in ("metadata", "style")]:
            element.remove(child)
        element.tail = "\n"
        if not (element.text or "").strip():
            element.text = None
    for attribute in _UNUSED_ATTRIBUTES:
        svg.attrib.pop(attribute, None)


def _prefix_ids(svg: ElementTree.Element, prefix: str) -> None:
    """Begin ids and the references to them with a prefix; drop the ids that nothing refers to."""
    clip_path = re.compile(r"url\(#(.*)\)")
    for element in svg.iter():
        if "href" in element.attrib:
            element.set("href", f"#{prefix}-{element.attrib['href'].removeprefix('#')}")
        if "clip-path" in element.attrib:
            element.set("clip-path", clip_path.sub(rf"url(#{prefix}-\1)", element.attrib["clip-path"]))
    references = {element.get("href", "").removeprefix("#") for element in svg.iter()}
    references |= {clip_path.sub(r"\1", element.get("clip-path", "")) for element in svg.iter()}
    for element in svg.iter():
        new_id = f"{prefix}-{element.attrib.pop('id', '')}"
        if new_id in references:
            element.set("id", new_id)


def _themed(value: str) -> str:
    """Round an attribute's numbers, drop unused styles, and name colours by the page's variables."""
    value = _MORE_DECIMALS.sub(r"\1", value)
    for variable, colour in PALETTE.items():
        value = value.replace(colour, f"var(--{variable})")
    return "; ".join(part for part in value.split("; ") if part not in _UNUSED_STYLES)


def section_plots(section: str, figures: Mapping[str, Figures]) -> dict[str, Plot]:
    """Return the plots of a section of the report, such as the test: plot's name -> plot.

    `figures` has those of whole reviews, excerpts and sentences, by the names to show; each is a line or a panel.
    """
    comparisons = {
        "trade_off": (
            "Precision by coverage, the share of texts that get an answer; dots: the chosen band",
            _trade_off,
        ),
        "reliability": ("Reliability: share of positive reviews by predicted probability", _reliability),
        "roc": ("ROC curve", _roc),
    }
    plots = {
        name: draw_plot(f"{section}-{name}", caption, partial(draw, figures=figures))
        for name, (caption, draw) in comparisons.items()
    }
    for number, (title, each) in enumerate(figures.items()):
        caption = f"Predicted probabilities of {title}, by label"
        draw = partial(_histogram, figures=each)
        plots[f"histogram_{number}"] = draw_plot(f"{section}-histogram-{number}", caption, draw)
    return plots


def training_plot(history: Mapping[str, Mapping[str, list[float]]], metric: str, kept: int) -> Plot:
    """Return the plot of a metric over the rounds of training, with a line at the last round that is kept."""
    title = _METRICS.get(metric, metric)

    def draw(axes: Axes) -> None:
        for split, label, colour, style in (("train", "training", INK, ":"), ("validation", "held out", POSITIVE, "-")):
            values = history[split][metric]
            step = max(1, len(values) // _ROUND_POINTS)
            axes.plot(range(1, len(values) + 1, step), values[::step], style, color=colour, label=label)
        axes.axvline(kept, color=FAINT, linewidth=1)
        axes.set(xlabel="round", ylabel=title, ylim=(0, None))
        axes.legend()

    return draw_plot("rounds", f"Mean {title} of the five folds by round; the line marks the last round kept", draw)


def learning_plot(curve: LearningCurve) -> Plot:
    """Return the plot of accuracy over the number of training reviews."""
    reviews = [(point.reviews, point.accuracy, point.error) for point in curve.points]
    excerpts = [
        (point.reviews, point.excerpt_accuracy, point.excerpt_error)
        for point in curve.points
        if point.excerpt_accuracy is not None
    ]

    def draw(axes: Axes) -> None:
        for label, colour, series in (("whole reviews", POSITIVE, reviews), ("excerpts", EXCERPTS, excerpts)):
            if series:
                x, y, error = zip(*series, strict=True)
                axes.errorbar(x, y, error, fmt="o-", color=colour, label=label, elinewidth=1)
        axes.set(xlabel="training reviews", ylabel="accuracy", xscale="log")
        axes.xaxis.set_major_locator(FixedLocator([point.reviews for point in curve.points]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        show_percentages(axes, "y")
        axes.legend()

    return draw_plot("learning", "Cross-validated accuracy by number of reviews; bars: standard errors", draw)


def show_percentages(axes: Axes, which: str) -> None:
    """Write the ticks of the "x", "y" or both ("xy") axes as percentages."""
    for name in which:
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(share * 100, 3):g}%"))


def _trade_off(axes: Axes, figures: Mapping[str, Figures]) -> None:
    """Draw precision over coverage, and a dot at the chosen band."""
    for colour, (title, each) in zip(_SERIES, figures.items(), strict=False):
        points = [point for point in each.trade_off if point[0]]
        axes.plot(*zip(*points, strict=True), color=colour, label=title)
        axes.plot([each.answered], [each.answered_accuracy], "o", color=colour, markersize=7)
        axes.annotate(
            f"{each.answered_accuracy:.1%} of {each.answered:.0%}",
            (each.answered, each.answered_accuracy),
            (-8, -5),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=10,
        )
    axes.set(xlabel="coverage", ylabel="precision", xlim=(None, 1.005), ylim=(None, 1))
    show_percentages(axes, "xy")
    axes.legend(loc="lower left")


def _reliability(axes: Axes, figures: Mapping[str, Figures]) -> None:
    """Draw the share of positive reviews over the mean probability of each bin, beside the ideal diagonal."""
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for colour, (title, each) in zip(_SERIES, figures.items(), strict=False):
        bins = [(part["probability"], part["positive"]) for part in each.reliability]
        axes.plot(*zip(*bins, strict=True), "o-", color=colour, label=title)
    axes.set(xlabel="predicted probability of positive", ylabel="share of positive", xlim=(0, 1), ylim=(0, 1))
    show_percentages(axes, "xy")
    axes.legend()


def _histogram(axes: Axes, figures: Figures) -> None:
    """Draw the number of reviews of each label by probability, one label on top of the other."""
    centres = [(i + 0.5) / HISTOGRAM_BINS for i in range(HISTOGRAM_BINS)]
    negative, positive = figures.histogram["negative"], figures.histogram["positive"]
    axes.bar(centres, negative, 0.9 / HISTOGRAM_BINS, color=NEGATIVE, label="negative")
    axes.bar(centres, positive, 0.9 / HISTOGRAM_BINS, negative, color=POSITIVE, label="positive")
    axes.set(xlabel="predicted probability of positive", ylabel="reviews", xlim=(0, 1))
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    show_percentages(axes, "x")
    axes.legend(loc="upper center")


def _roc(axes: Axes, figures: Mapping[str, Figures]) -> None:
    """Draw the ROC curve, beside the diagonal of chance."""
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for colour, (title, each) in zip(_SERIES, figures.items(), strict=False):
        axes.plot(*zip(*each.roc, strict=True), color=colour, label=title)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.01))
    show_percentages(axes, "xy")
    axes.legend(loc="lower right")
