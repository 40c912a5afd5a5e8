"""The `verdict release` command."""

from pathlib import Path

import click
from rich.console import Console

from training.data.collect import DATA_FOLDER
from training.evaluation.evaluate import show
from training.evaluation.evaluation import TEST
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import DEFAULT_RUN
from training.progress import bars, table
from training.release import release


@click.command(name="release")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
def command(name: str, data: Path) -> None:
    """Make a run the packaged release, with the official test as the last word on it."""
    console = Console(stderr=True)
    with bars(console, "Scoring") as (tick,):
        released = release(run_folder(RUNS_FOLDER, name), data, tick=tick)
    show(console, released.evaluation)
    rows = [(path.name, f"{path.stat().st_size:,} bytes") for path in released.files]
    console.print(table(f"Release {released.release.release_id}", rows))
    if TEST not in released.evaluation.asked:
        console.print("These reviews have no test split: the release states figures of cross-validation alone.")
