"""The results of `benchmarks.alternatives`: each contender's figures, as JSON, as a table and as Markdown."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

HEADINGS = {  # field of a result -> heading, factor, format
    "accuracy": ("IMDB test, %", 100, ".1f"),
    "excerpts": ("excerpts, %", 100, ".1f"),
    "treebank": ("SST test, %", 100, ".1f"),
    "sentences": ("own sentences, %", 100, ".1f"),
    "sentences_within_reach": ("within reach, %", 100, ".1f"),
    "log_loss": ("log loss", 1, ".3f"),
    "calibration_error": ("ECE, %", 100, ".1f"),
    "milliseconds": ("ms per review", 1, ".2f"),
    "learned_bytes": ("learned, MB", 1e-6, ".1f"),
    "package_bytes": ("packages, MB", 1e-6, ".0f"),
    "training_seconds": ("training, s", 1, ".0f"),
}


@dataclass(frozen=True)
class Result:
    """A contender's figures; shares are 0..1, and None stands for a figure that it does not have.

    `accuracy` is that on the test, of which `reviews_scored` reviews were scored; `excerpts`, `treebank`, `sentences`
    and `sentences_within_reach` are the accuracies on excerpts of these, on the Treebank's test sentences, on the
    authors' sentences, and on those of them that a bag of words can be expected to classify. `milliseconds` is the
    median for a single review, `package_bytes` the installed size of its packages. `answered`, for a contender with a
    not-sure band, has the coverage (`share`) and the precision (`right`) by set of texts.
    """

    name: str
    reviews_scored: int
    accuracy: float
    excerpts: float
    treebank: float | None
    sentences: float
    sentences_within_reach: float
    log_loss: float | None
    calibration_error: float | None
    milliseconds: float
    learned_bytes: int | None
    package_bytes: int
    training_seconds: float | None
    answered: dict[str, dict[str, float]]


def cells(result: Result) -> list[str]:
    """Format a result's figures for the table; `-` stands for None."""
    figures = asdict(result)
    return [
        "-" if figures[field] is None else f"{figures[field] * factor:{form}}"
        for field, (_, factor, form) in HEADINGS.items()
    ]


def table_of(results: Iterable[Result]) -> Table:
    """Return the results as a table for a terminal, the most accurate last."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading, _, _ in HEADINGS.values():
        table.add_column(heading, justify="right")
    for result in sorted(results, key=lambda result: result.accuracy):
        table.add_row(result.name, *cells(result))
    return table


def markdown_of(results: Iterable[Result]) -> str:
    """Return the results as a Markdown table, the most accurate last."""
    lines = [["", *(heading for heading, _, _ in HEADINGS.values())], ["---", *["---:"] * len(HEADINGS)]]
    lines += [[result.name, *cells(result)] for result in sorted(results, key=lambda result: result.accuracy)]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def note_lines(results: Iterable[Result]) -> list[str]:
    """Return a line with coverage and precision for each contender with a not-sure band and each set of texts.

    A contender for which only some of the test reviews were scored has a line with their number.
    """
    rows = list(results)
    most = max(result.reviews_scored for result in rows)
    lines = [
        f"- {result.name}, {name}: precision {each['right'] * 100:.1f}% at {each['share'] * 100:.1f}% coverage"
        for result in rows
        for name, each in result.answered.items()
    ]
    return lines + [
        f"- {result.name}: {result.reviews_scored:,} reviews scored, evenly spaced, and an excerpt of each"
        for result in rows
        if result.reviews_scored < most
    ]


def read_results(path: Path) -> tuple[dict[str, Any], list[Result]]:
    """Read a run: the facts about it, and its results."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    return facts, [Result(**result) for result in facts.pop("results")]


def write_results(path: Path, results: Iterable[Result], facts: dict[str, Any]) -> None:
    """Write the results of a run, and the facts about it, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {**facts, "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
