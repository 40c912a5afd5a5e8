"""The `verdict tune` command."""

import math
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli import options
from cli.options import EXIT_INTERRUPTED
from training.model.cross_validation import TrainingResult
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import summary_rows
from training.progress import bars, table
from training.tuning.ranges import PRESETS_FOLDER, SearchSpace, presets, read_ranges
from training.tuning.search import JOURNAL_NAME, SearchResult
from training.tuning.tune import DEFAULT_NAME, TRIALS, TrialTable, tune


@click.command(name="tune")
@options.channels_option
@click.option(
    "--ranges",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own file of hyperparameter ranges.",
)
@click.option("--preset", type=click.Choice(presets()), help="Ranges of the project.  [default: default]")
@click.option(
    "--trials", type=click.IntRange(1), default=TRIALS, show_default=True, help="Total trials, earlier ones included."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=math.inf,
    show_default="no limit",
    help="Start no trial after this time.",
)
@options.run_option(DEFAULT_NAME)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the search.")
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
    max_jobs: int,
    max_parallel: int,
    strategy: str,
    **job_options: Any,
) -> None:
    """Search for better hyperparameters; the best trial becomes a run.

    Repeat the command to resume a stopped search, or to extend a finished one with more --trials. On SageMaker a
    tuning job searches the same ranges, and the run is trained there too.
    """
    if ranges and preset:
        raise click.UsageError("Use only one of --ranges and --preset.")
    space = read_ranges(ranges or PRESETS_FOLDER / f"{preset or 'default'}.json")
    folder = run_folder(RUNS_FOLDER, name)
    if on == options.LOCAL:
        options.refuse_locally("verbose", "max_jobs", "max_parallel", "strategy", *job_options)
        _search_here(space, channels, folder, trials, seed, seconds)
        return
    options.refuse("applies to a local search; on SageMaker use --max-jobs.", "trials", "seconds")
    _search_on_sagemaker(space, channels, folder, (strategy, max_jobs, max_parallel, seed), job_options, verbose)


def _search_on_sagemaker(
    space: SearchSpace,
    channels: Path,
    folder: Path,
    tuning_options: tuple[str, int, int, int],
    job_options: dict[str, Any],
    verbose: bool,
) -> None:
    """Search in a tuning job, or stop the run's jobs with --stop."""
    from cli.aws_command import connected, report_stopped
    from operations.jobs.run_jobs import JobOptions  # boto3: slow to import, and only needed here
    from operations.jobs.sagemaker_tuning import tune_on_sagemaker
    from operations.jobs.stopping import stop_run
    from operations.jobs.tuning_job import TuningOptions

    requested = JobOptions(run=folder.name, **job_options)
    with connected(verbose) as aws:
        if requested.stop:
            report_stopped(aws, folder.name, stop_run(aws, requested.stage, folder.name))
        else:
            trained = tune_on_sagemaker(aws, space, channels, folder, TuningOptions(*tuning_options), requested)
            aws.console.print(table(f"Run {folder}", summary_rows(trained, "billable seconds")))


def _search_here(space: SearchSpace, channels: Path, folder: Path, trials: int, seed: int, seconds: float) -> None:
    """Search on this machine; exits with status 130 if the search was interrupted."""
    console = Console(stderr=True)
    if space.local_only:
        console.print(f"Not accepted by a SageMaker tuning job: {', '.join(space.local_only)}.")
    live = TrialTable(space)
    with bars(console, "Searching", above=live) as (progress,):
        tuned = tune(space, channels, folder, trials, seed, seconds, progress, live)
    if tuned.trained:
        console.print(table(f"Run {folder}", _summary(tuned.search, tuned.trained)))
        return
    done = len(tuned.search.trials)
    console.print(f"{done} of {trials} trials are stored in {folder / JOURNAL_NAME}. Repeat the command to resume.")
    raise SystemExit(EXIT_INTERRUPTED)


def _summary(found: SearchResult, trained: TrainingResult) -> list[tuple[object, ...]]:
    """Return the rows of the summary table."""
    pruned = sum(trial.pruned for trial in found.trials)
    rows: list[tuple[object, ...]] = [("trials (pruned)", f"{len(found.trials)} ({pruned})")]
    if found.best:
        rows += [("best trial", found.best.number), *found.best.values.items()]
    rows += [
        (f"validation {metric}, mean of the folds", f"{value:.4f}")
        for metric, value in trained.best["validation"].items()
    ]
    return [*rows, ("model SHA-256", trained.record.model_sha256[:12])]
