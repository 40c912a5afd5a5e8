"""The evaluation report: one HTML page with its styles and plots inline."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from chalicelib.release import REPORT_NAME, release_id_of
from training import atomic
from training.evaluation.evaluate import (
    HELD_OUT,
    HELD_OUT_EXCERPTS,
    HELD_OUT_SENTENCES,
    TEST,
    TEST_EXCERPTS,
    TEST_SENTENCES,
    Evaluation,
)
from training.evaluation.learning_curve import load_learning_curve
from training.evaluation.metrics import Figures
from training.evaluation.plots import PALETTE, Plot, learning_plot, section_plots, training_plot
from training.features.channels import ALL, CHANNEL_FILES
from training.model.run_folder import Run
from training.project import ROOT

ALTERNATIVES = ROOT / "docs" / "reference" / "alternatives.json"
OFFICIAL_FINGERPRINTS = (  # of the official archive
    "4269a5c4be6ca4cb6d3eae5a5348354535a3ef077fb139504acc705db11a673a",  # its labelled reviews alone
    "5598e30a93e889b8c8cf573aa15e50dfab7a4f754675a004769a528d042fdf69",  # all of it
    "c466281c22f4b1e39d7e6cb6c24691b837aa78e3b414596161dfa067ac997a9a",  # all of it, and the Sentiment Treebank
)
TERMS_SHOWN = 25  # per label
REVIEWS_TITLE, EXCERPTS_TITLE, SENTENCES_TITLE = "whole reviews", "excerpts", "sentences"
_TEMPLATE = "report.html"
_SECTIONS = {
    TEST: ("Official test", {EXCERPTS_TITLE: TEST_EXCERPTS, SENTENCES_TITLE: TEST_SENTENCES}),
    HELD_OUT: ("Cross-validation", {EXCERPTS_TITLE: HELD_OUT_EXCERPTS, SENTENCES_TITLE: HELD_OUT_SENTENCES}),
}
_GROUPED = ("by_length", "by_rating", "by_confidence", "by_fold")  # the fields of `Figures` that list groups

GroupTable = dict[str, list[dict[str, Any] | None]]  # group's name -> that group of each set of reviews, if it has it


@dataclass(frozen=True)
class ReportSection:
    """The part of the report on one split.

    `figures` has those of whole reviews and, if they were evaluated, of excerpts and sentences, by the names to show.
    `groups` has a table for each field of `Figures` that lists groups.
    """

    slug: str
    title: str
    figures: dict[str, Figures]
    plots: dict[str, Plot]
    groups: dict[str, GroupTable]


def write_report(run: Run, evaluation: Evaluation) -> Path:
    """Write `report.html` into a run's folder, and return its path."""
    path = run.folder / REPORT_NAME
    atomic.write_text(path, render(run, evaluation))
    return path


def render(run: Run, evaluation: Evaluation, alternatives: Path = ALTERNATIVES) -> str:
    """Return the report's HTML, with the learning curve and the alternatives if those are of this model."""
    record = run.record
    curve = load_learning_curve(run)
    metric = list(record.history["validation"])[-1]
    release_id = release_id_of(record.prepared.vocabulary_fingerprint, record.model_sha256)
    return template().render(
        record=record,
        model_bytes=len(run.model),
        release_id=release_id,
        evaluation=evaluation,
        sections=sections_of(evaluation.figures),
        training_plot=training_plot(record.history, metric, record.rounds),
        learning_plot=learning_plot(curve) if curve else None,
        terms={label: terms[:TERMS_SHOWN] for label, terms in record.prepared.strongest.items()},
        rows=record.prepared.rows[f"{ALL}/{CHANNEL_FILES['train']}"],
        alternatives=read_alternatives(alternatives, release_id),
        official=record.prepared.data_fingerprint in OFFICIAL_FINGERPRINTS,
    )


def template() -> Template:
    """Return the Jinja template of the report, with its global values."""
    environment = report_environment(Path(__file__).parent)
    titles = {HELD_OUT: REVIEWS_TITLE, HELD_OUT_EXCERPTS: EXCERPTS_TITLE, HELD_OUT_SENTENCES: SENTENCES_TITLE}
    environment.globals.update(titles=titles, REVIEWS=REVIEWS_TITLE, EXCERPTS=EXCERPTS_TITLE, SENTENCES=SENTENCES_TITLE)
    return environment.get_template(_TEMPLATE)


def report_environment(*folders: Path) -> Environment:
    """Return the Jinja environment of reports: the style sheet, the palette, and the filters that format numbers.

    `folders` hold the templates.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, Path(__file__).parent]),
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
    environment.globals.update(palette=PALETTE)
    return environment


def sections_of(figures: Mapping[str, Figures]) -> list[ReportSection]:
    """Return a section for each split that was evaluated: the test first, then cross-validation."""
    sections = []
    for reviews, (title, short) in _SECTIONS.items():
        if reviews in figures:
            shown = {REVIEWS_TITLE: figures[reviews]}
            shown |= {name: figures[key] for name, key in short.items() if key in figures}
            groups = {field: _group_table(list(shown.values()), field) for field in _GROUPED}
            sections.append(ReportSection(reviews, title, shown, section_plots(reviews, shown), groups))
    return sections


def _group_table(figures: Sequence[Figures], field: str) -> GroupTable:
    """Put the groups of the same name side by side, in the order of the numbers that their names begin with."""
    columns = [{group["name"]: group for group in getattr(each, field)} for each in figures]
    names = {name for column in columns for name in column}
    return {name: [column.get(name) for column in columns] for name in sorted(names, key=_first_number)}


def _first_number(name: str) -> int:
    """Return the number that a group's name begins with: `20-39` -> 20."""
    found = re.match(r"\d+", name)
    return int(found[0]) if found else 0


def _share(value: float) -> str:
    return f"{value:.1%}"


def _megabytes(value: float) -> str:
    return f"{value / 1e6:,.1f}"


_ALTERNATIVE_COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {  # key of a result -> heading, format
    "accuracy": ("IMDB test", _share),
    "excerpts": ("excerpts", _share),
    "treebank": ("SST test", _share),
    "sentences": ("own sentences", _share),
    "sentences_within_reach": ("own, within reach", _share),
    "log_loss": ("log loss", "{:.3f}".format),
    "calibration_error": ("calibration error", _share),
    "milliseconds": ("ms per review", "{:.2f}".format),
    "learned_bytes": ("learned, MB", _megabytes),
    "package_bytes": ("packages, MB", _megabytes),
    "training_seconds": ("training, s", "{:,.0f}".format),
}


def read_alternatives(path: Path, release_id: str) -> list[list[str]]:
    """Return the comparison with alternatives as rows of text, headings first; none unless it is of this release.

    The most accurate alternative comes last.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    if stored.get("release") != release_id:
        return []
    results = sorted(stored["results"], key=lambda result: float(result["accuracy"]))
    headings = [heading for heading, _ in _ALTERNATIVE_COLUMNS.values()]
    return [["", *headings], *([str(result["name"]), *_cells(result)] for result in results)]


def _cells(result: Mapping[str, Any]) -> list[str]:
    """Format the figures of an alternative; a dash for those it does not have."""
    return ["–" if result.get(key) is None else write(result[key]) for key, (_, write) in _ALTERNATIVE_COLUMNS.items()]
