"""The `verdict tune` command."""

import math
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli import options
from training.features.channels import CHANNELS_FOLDER
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import summary_rows
from training.model.trained import Trained
from training.progress import bars, table
from training.tuning.ranges import PRESETS_FOLDER, SearchSpace, presets, read_ranges
from training.tuning.search import JOURNAL_NAME, Found
from training.tuning.tune import DEFAULT_NAME, EXIT_INTERRUPTED, TRIALS, Trials, tune


@click.command(name="tune")
@click.option(
    "--channels", type=click.Path(file_okay=False, path_type=Path), default=CHANNELS_FOLDER, show_default=True
)
@click.option(
    "--ranges",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of ranges: see docs/tuning.md.",
)
@click.option("--preset", type=click.Choice(presets()), help="Ranges that come with the project.  [default: default]")
@click.option(
    "--trials", type=click.IntRange(1), default=TRIALS, show_default=True, help="Trials, earlier ones counted."
)
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=math.inf, help="Begin no trial after these."
)
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="The run's folder, in runs/.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@options.on("sagemaker")
@options.tuning_job_options
@options.training_job_options
def command(
    channels: Path,
    ranges: Path | None,
    preset: str | None,
    trials: int,
    seconds: float,
    name: str,
    seed: int,
    on: str,
    verbose: bool,
    **there: Any,
) -> None:
    """Search for better hyperparameters; the best trial becomes a run.

    The same command goes on with a search that was stopped, or, with more --trials, with one that was done. On
    SageMaker a tuning job searches the same ranges, and the run is trained there too.
    """
    if ranges and preset:
        raise click.UsageError("Name one of --ranges and --preset.")
    space = read_ranges(ranges or PRESETS_FOLDER / f"{preset or 'default'}.json")
    folder = run_folder(RUNS_FOLDER, name)
    if on == options.LOCAL:
        options.refuse_locally("verbose", *there)
        _search_here(space, channels, folder, trials, seed, seconds)
        return
    options.refuse("is of a search here; one on SageMaker has --max-jobs.", "trials", "seconds")
    from cli.aws_command import connected
    from operations.jobs import tuned_run  # boto3: slow to import, and only needed here

    with connected(verbose) as aws:
        done = tuned_run.command(aws, space, channels, folder, seed, **there)
        if done:
            aws.console.print(table(f"Run {folder}", summary_rows(done, "billable seconds")))


def _search_here(space: SearchSpace, channels: Path, folder: Path, trials: int, seed: int, seconds: float) -> None:
    """Do what the command was asked for, on this machine."""
    console = Console(stderr=True)
    if space.here_only:
        console.print(f"Searched here only, a SageMaker tuning job would refuse it: {', '.join(space.here_only)}.")
    watch = Trials(space)
    with bars(console, "Searching", above=watch) as (tick,):
        tuned = tune(space, channels, folder, trials, seed, seconds, tick, watch)
    if tuned.trained:
        console.print(table(f"Run {folder}", _summary(tuned.found, tuned.trained)))
        return
    done = len(tuned.found.trials)
    console.print(
        f"{done} of {trials} trials are kept in {folder / JOURNAL_NAME}; the same command goes on from there."
    )
    raise SystemExit(EXIT_INTERRUPTED)


def _summary(found: Found, trained: Trained) -> list[tuple[object, ...]]:
    """Return the lines of the summary table."""
    pruned = sum(trial.pruned for trial in found.trials)
    rows: list[tuple[object, ...]] = [("trials, of them pruned", f"{len(found.trials)}, {pruned}")]
    if found.best:
        rows += [("best trial", found.best.number), *found.best.values.items()]
    rows += [
        (f"validation {metric}, mean of the folds", f"{value:.4f}")
        for metric, value in trained.best["validation"].items()
    ]
    return [*rows, ("model SHA-256", trained.record.model_sha256[:12])]
