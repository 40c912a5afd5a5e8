"""The `verdict learning` command."""

from pathlib import Path

import click
from rich.console import Console

from cli.options import data_option, run_option
from training.data.reviews import read_manifest
from training.evaluation.evaluate import load_evaluation
from training.evaluation.learning_curve import SIZES, compute_learning_curve
from training.model.run_folder import RUNS_FOLDER, load_run, run_folder
from training.model.train import DEFAULT_RUN
from training.progress import bars, table


@click.command(name="learning")
@run_option(DEFAULT_RUN)
@data_option
@click.option(
    "--size",
    "sizes",
    type=click.IntRange(1),
    multiple=True,
    default=SIZES,
    show_default=True,
    help="Number of training reviews; repeatable.",
)
def command(name: str, data: Path, sizes: tuple[int, ...]) -> None:
    """Measure accuracy by number of training reviews, and add the curve to the report.

    Takes some minutes. Writes learning.json into the run's folder; the official test is not used.
    """
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    load_run(folder), read_manifest(data)  # fails before a progress bar is drawn
    with bars(console, "Learning curve", "This point") as (progress, point_progress):
        curve = compute_learning_curve(folder, data, sizes, progress, point_progress)
    rows = [
        (
            f"{point.reviews:,}",
            _percent(point.accuracy, point.error),
            _percent(point.excerpt_accuracy, point.excerpt_error),
        )
        for point in curve.points
    ]
    console.print(table(f"Run {folder}", rows, ("reviews", "accuracy, %", "on excerpts, %")))
    run = load_run(folder)
    if evaluation := load_evaluation(run):
        from training.evaluation.report import write_report  # matplotlib: slow to import, and only needed here

        console.print(f"Report: {write_report(run, evaluation)}", soft_wrap=True)


def _percent(accuracy: float | None, error: float | None) -> str:
    """Format an accuracy with its standard error, "" if absent."""
    return "" if accuracy is None or error is None else f"{accuracy * 100:.2f} ± {error * 100:.2f}"
