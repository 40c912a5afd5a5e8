"""What `benchmarks.alternatives` gives: a contender's figures, as JSON for programs and as tables for people."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

HEADINGS = {  # field of a result -> heading, factor, format
    "accuracy": ("test, %", 100, ".1f"),
    "crops": ("crops, %", 100, ".1f"),
    "snippets": ("another site, %", 100, ".1f"),
    "sentences": ("own sentences, %", 100, ".1f"),
    "sentences_within_reach": ("within reach, %", 100, ".1f"),
    "log_loss": ("log loss", 1, ".3f"),
    "calibration_error": ("ECE, %", 100, ".1f"),
    "milliseconds": ("ms a review", 1, ".2f"),
    "learned_bytes": ("learned, MB", 1e-6, ".1f"),
    "package_bytes": ("packages, MB", 1e-6, ".0f"),
    "training_seconds": ("training, s", 1, ".0f"),
}


@dataclass(frozen=True)
class Result:
    """A contender's figures; shares are 0..1, and None is for what it does not have.

    `snippets` is the accuracy on another site's sentences, `sentences_within_reach` the one on those of the authors'
    sentences that a bag of words can be expected to get. `milliseconds` is the median of one review at a time,
    `package_bytes` what its packages take, installed. `answered` is for what has a not-sure band: what was asked -> the
    share of answers outside of it, and how many of those are right.
    """

    name: str
    accuracy: float
    crops: float
    snippets: float | None
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
    """Write a result's figures as the table has them, `-` for what there is not."""
    stated = asdict(result)
    return [
        "-" if stated[field] is None else f"{stated[field] * factor:{form}}"
        for field, (_, factor, form) in HEADINGS.items()
    ]


def table_of(results: Iterable[Result]) -> Table:
    """Lay results out for a terminal, the most accurate last."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading, _, _ in HEADINGS.values():
        table.add_column(heading, justify="right")
    for result in sorted(results, key=lambda result: result.accuracy):
        table.add_row(result.name, *cells(result))
    return table


def markdown_of(results: Iterable[Result]) -> str:
    """Lay results out for a document, the most accurate last."""
    lines = [["", *(heading for heading, _, _ in HEADINGS.values())], ["---", *["---:"] * len(HEADINGS)]]
    lines += [[result.name, *cells(result)] for result in sorted(results, key=lambda result: result.accuracy)]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def answered_lines(results: Iterable[Result]) -> list[str]:
    """Write, a line each, how often a contender with a not-sure band answers, and how often it is then right."""
    return [
        f"- {result.name}, {asked}: sure of {each['share'] * 100:.1f} %, of which {each['right'] * 100:.1f} % are right"
        for result in results
        for asked, each in result.answered.items()
    ]


def read_results(path: Path) -> list[Result]:
    """Read the results of a run."""
    return [Result(**stated) for stated in json.loads(path.read_text(encoding="utf-8"))["results"]]


def write_results(path: Path, results: Iterable[Result], facts: dict[str, Any]) -> None:
    """Write the results of a run and the facts about it as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = {**facts, "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(stated, indent=2) + "\n", encoding="utf-8")
