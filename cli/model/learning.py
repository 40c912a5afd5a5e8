"""The `verdict learning` command."""

from pathlib import Path

import click
from rich.console import Console

from training.data.collect import DATA_FOLDER
from training.evaluation.evaluation import REPORT_NAME
from training.evaluation.learning import SIZES, learning
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import DEFAULT_RUN
from training.progress import bars, table


@click.command(name="learning")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option(
    "--size", "sizes", type=click.IntRange(1), multiple=True, default=SIZES, show_default=True, help="So many reviews."
)
def command(name: str, data: Path, sizes: tuple[int, ...]) -> None:
    """Learn from fewer reviews, to see what more would bring, and draw the curve into the report.

    Takes some minutes. Writes learning.json into the run's folder; the test is not looked at.
    """
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    with bars(console, "Learning curve", "This point") as (tick, step_tick):
        curve = learning(folder, data, sizes, tick, step_tick)
    rows = [
        (f"{point.reviews:,}", _percent(point.accuracy, point.error), _percent(point.crops, point.crops_error))
        for point in curve.points
    ]
    console.print(table(f"Run {folder}", rows, ("reviews", "accuracy, %", "of crops, %")))
    if (folder / REPORT_NAME).exists():
        console.print(f"Report: {folder / REPORT_NAME}", soft_wrap=True)


def _percent(accuracy: float | None, error: float | None) -> str:
    """Write an accuracy with its standard error; nothing for none."""
    return "" if accuracy is None or error is None else f"{accuracy * 100:.2f} ± {error * 100:.2f}"
