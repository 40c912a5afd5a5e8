"""A run and its evaluation -> one HTML page that needs nothing else: styles, plots and all within it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chalicelib.release import release_id_of
from training import atomic
from training.evaluation.evaluation import HELD_OUT, HELD_OUT_CROPS, REPORT_NAME, TEST, TEST_CROPS, Evaluation
from training.evaluation.learning_curve import load_learning_curve
from training.evaluation.metrics import Figures
from training.evaluation.plots import Plot, basis_plots, learning_plot, training_plot
from training.features.channels import ALL, CHANNEL_FILES
from training.model.run_folder import Run
from training.project import ROOT

ALTERNATIVES = ROOT / "docs" / "alternatives.json"
OFFICIAL_FINGERPRINT = "4269a5c4be6ca4cb6d3eae5a5348354535a3ef077fb139504acc705db11a673a"  # all of the official archive
TERMS_SHOWN = 25  # each way
_TEMPLATE = "report.html"
_BASES = {TEST: ("Official test", TEST_CROPS), HELD_OUT: ("Cross-validation", HELD_OUT_CROPS)}  # the last word first
_WHOLE, _CROPS = "whole reviews", "a few sentences"
_GROUPED = ("by_length", "by_rating", "by_confidence", "by_fold")
_HEADINGS = {  # of docs/alternatives.json -> heading; others are headed by their names
    "accuracy": "test",
    "crops": "a few sentences",
    "snippets": "another site",
    "sentences": "own sentences",
    "sentences_within_reach": "of those, within reach",
    "milliseconds": "ms a review",
    "learned_bytes": "learned, MB",
    "package_bytes": "packages, MB",
    "training_seconds": "training, s",
}
Groups = dict[str, dict[str, list[dict[str, Any] | None]]]


@dataclass(frozen=True)
class Basis:
    """What a model was judged on: what was asked (whole reviews, crops of them) -> figures, and their plots.

    `groups` is a field of `Figures` that lists groups -> for each group's name the group of all that was asked, None
    where one has no such group.
    """

    slug: str
    title: str
    asked: dict[str, Figures]
    plots: dict[str, Plot]
    groups: Groups


def write_report(run: Run, evaluation: Evaluation) -> None:
    """Write `report.html` into a run's folder."""
    atomic.write_text(run.folder / REPORT_NAME, render(run, evaluation))


def render(run: Run, evaluation: Evaluation, alternatives: Path = ALTERNATIVES) -> str:
    """Return the report's HTML, with the run's learning curve and the alternatives where those are of this model."""
    record = run.record
    curve = load_learning_curve(run)
    metric = list(record.history["validation"])[-1]
    release_id = release_id_of(record.prepared.vocabulary_fingerprint, record.model_sha256)
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            record=record,
            model_bytes=len(run.model),
            release_id=release_id,
            evaluation=evaluation,
            bases=bases(evaluation.asked),
            training_plot=training_plot(record.history, metric, record.rounds),
            learning_plot=learning_plot(curve) if curve else None,
            terms={label: terms[:TERMS_SHOWN] for label, terms in record.prepared.strongest.items()},
            rows=record.prepared.rows[f"{ALL}/{CHANNEL_FILES['train']}"],
            alternatives=read_alternatives(alternatives, release_id),
            official=record.prepared.data_fingerprint == OFFICIAL_FINGERPRINT,
            names={HELD_OUT: _WHOLE, HELD_OUT_CROPS: _CROPS},
        )
    )


def _environment() -> Environment:
    """Make what reads the template, with the filters that write numbers."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=lambda share, digits=1: f"{share:.{digits}%}",
        thousands="{:,}".format,
        span=lambda name: name.replace("-", "–").replace(" %", "%"),
    )
    return environment


def bases(asked: Mapping[str, Figures]) -> list[Basis]:
    """Put what was asked on one basis together, the last word first."""
    found = []
    for whole, (title, crops) in _BASES.items():
        if whole in asked:
            both = {_WHOLE: asked[whole]} | ({_CROPS: asked[crops]} if crops in asked else {})
            slug = whole.replace(" ", "-")
            found.append(Basis(slug, title, both, basis_plots(slug, both), _groups(both)))
    return found


def _groups(asked: Mapping[str, Figures]) -> Groups:
    """Put groups of one name side by side."""
    sides = {
        field: [{group["name"]: group for group in getattr(figures, field)} for figures in asked.values()]
        for field in _GROUPED
    }
    return {
        field: {name: [groups.get(name) for groups in side] for name in sorted(set().union(*side), key=_first_number)}
        for field, side in sides.items()
    }


def _first_number(name: str) -> int:
    """Return the number that a group's name begins with: `20-39` -> 20."""
    found = re.match(r"\d+", name)
    return int(found[0]) if found else 0


def read_alternatives(path: Path, release_id: str) -> list[list[str]]:
    """Return the comparison with alternatives as lines of text, headings first; none unless it is of this release."""
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    if stated.get("release") != release_id:
        return []
    results = sorted(stated["results"], key=lambda result: float(result["accuracy"]))
    names = dict.fromkeys(name for result in results for name in result)
    kinds = {name: {type(result[name]) for result in results if result.get(name) is not None} for name in names}
    columns = [name for name in names if kinds[name] and kinds[name] <= {int, float}]
    lines = [[str(result["name"]), *(_cell(name, result.get(name)) for name in columns)] for result in results]
    return [["", *(_HEADINGS.get(name, name.replace("_", " ")) for name in columns)], *lines]


def _cell(column: str, value: float | None) -> str:
    """Write one figure of the comparison: times and sizes in the unit of their heading, a share as a percentage."""
    if value is None:
        return "–"
    if column.endswith("_bytes"):
        return f"{value / 1e6:,.1f}"
    if column == "milliseconds":
        return f"{value:.2f}"
    if column.endswith("_seconds"):
        return f"{value:,.0f}"
    if column.endswith("loss"):
        return f"{value:.3f}"
    return f"{value:.1%}" if isinstance(value, float) and 0 <= value <= 1 else f"{value:,}"
