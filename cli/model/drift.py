"""The `verdict drift` command."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from cli.options import data_option, duration, json_option, review_column_option, stage_option
from cli.output import notes_shown, print_json
from cli.review_source import read_source
from training.data.labelled import NoteCallback
from training.monitoring.sample import Sample, Sides, rows_since, sample_reviews, training_samples
from training.progress import bars, table

if TYPE_CHECKING:
    from training.monitoring.drift import Drift

EXIT_DRIFT = 3
REPORT = Path("runs/drift.html")


def since_option(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """Parse a date, a time or a duration before now, as a click callback."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.now(UTC) - duration(text)
        except ValueError as error:
            raise click.BadParameter(
                f"{text!r} is neither a date such as 2026-01-31 nor a duration such as 30d."
            ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@click.command(name="drift")
@click.argument("new", metavar="NEW|feedback")
@review_column_option
@click.option(
    "--since",
    callback=since_option,
    metavar="TIME",
    help="Only new reviews since a date, or in a duration such as 30d.",
)
@data_option
@click.option("--old", metavar="FILE", help="Compare with this file of reviews instead of the training reviews.")
@click.option(
    "--old-review-column", metavar="NAME", help="The column of reviews of --old, by name or by number from 1."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the samples and of the folds.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    default=REPORT,
    show_default=True,
    help="HTML file to write.",
)
@stage_option
@json_option
def command(
    new: str,
    review_column: str | None,
    since: datetime | None,
    data: Path,
    old: str | None,
    old_review_column: str | None,
    seed: int,
    report: Path,
    stage: str,
    as_json: bool,
) -> None:
    """Compare new reviews with those of training, and report what changed.

    NEW is a .csv, .tsv, .jsonl or .txt file, also with .gz, with a column of reviews, such as an export of feedback;
    `feedback` reads the --stage's table itself. Compared are words, lengths, the packaged model's scores and verdicts,
    the share of known words, and how well a classifier separates old from new. Up to 3,000 reviews of each side are
    drawn.

    Exit status: 0 no drift; 3 drift; 1 if drift cannot be measured, because a file cannot be read or a side has fewer
    than 100 reviews.
    """
    if report.suffix.lower() != ".html":
        raise click.UsageError("--report is an HTML file: its name ends in .html.")
    if old_review_column and not old:
        raise click.UsageError("--old-review-column needs --old.")
    console = Console(stderr=True)
    with notes_shown(console) as note:
        rows = rows_since(new, read_source(new, review_column, note, stage), since)
        sides = _sides(sample_reviews(new, (row.text for row in rows), seed), data, old, old_review_column, seed, note)
    drift = _measure(sides, seed, report, console)
    if as_json:
        print_json({"is_drift": drift.is_drift, "judgement": drift.judgement, **drift.figures()})
    if drift.is_drift:
        raise SystemExit(EXIT_DRIFT)


def _sides(
    new: Sample, data: Path, old: str | None, old_review_column: str | None, seed: int, note: NoteCallback
) -> Sides:
    """Return the new reviews beside those of the file `old`, or else of training."""
    if old is None:
        training, scored, seen = training_samples(data, seed)
        return Sides(training, new, scored, seen)
    sample = sample_reviews(old, (row.text for row in read_source(old, old_review_column, note)), seed)
    return Sides(sample, new, sample)


def _measure(sides: Sides, seed: int, report: Path, console: Console) -> "Drift":
    """Measure drift, write the report, and print a summary."""
    from training.evaluation.packaged_model import load_packaged_model  # xgboost, scikit-learn and matplotlib:
    from training.monitoring.drift import measure_drift, summary_rows  # slow to import, and only needed here
    from training.monitoring.drift_report import write_drift_report

    with bars(console, "Comparing") as (progress,):
        drift = measure_drift(sides, load_packaged_model(), seed, progress)
    write_drift_report(report, drift)
    console.print(table("Then and now", [(name, escape(str(value))) for name, value in summary_rows(drift)]))
    console.print(drift.judgement, soft_wrap=True, markup=False, highlight=False)
    console.print(f"Report: {report}", soft_wrap=True, markup=False, highlight=False)
    return drift
