"""The `verdict release` command."""

from pathlib import Path

import click
from rich.console import Console

from cli.options import data_option, run_option
from training.data.reviews import read_manifest
from training.evaluation.evaluate import TEST, print_evaluation
from training.model.run_folder import RUNS_FOLDER, load_run, run_folder
from training.model.train import DEFAULT_RUN
from training.progress import bars, table
from training.release import release


@click.command(name="release")
@run_option(DEFAULT_RUN)
@data_option
def command(name: str, data: Path) -> None:
    """Package a run as the release, after one evaluation on the official test."""
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    load_run(folder), read_manifest(data)  # fails before a progress bar is drawn
    with bars(console, "Scoring") as (progress,):
        released = release(folder, data, tick=progress)
    print_evaluation(console, released.evaluation)
    rows = [(path.name, f"{path.stat().st_size:,} bytes") for path in released.files]
    console.print(table(f"Release {released.release.release_id}", rows))
    if TEST not in released.evaluation.figures:
        console.print("These reviews have no official test: the release states cross-validation figures only.")
