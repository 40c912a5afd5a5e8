"""Step `tune`: a search over hyperparameters, whose best trial becomes a run like any other."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from training import atomic
from training.aws import options
from training.channels import CHANNELS_FOLDER
from training.progress import Tick, bars, silent, table
from training.ranges import PRESETS_FOLDER, SearchSpace, presets, read_ranges
from training.run_folder import RUNS_FOLDER, SEARCH_NAME, run_folder
from training.search import JOURNAL_NAME, Found, Trial, best_of, search
from training.train import summary_rows, train
from training.trained import Trained

DEFAULT_NAME = "tuned"
TRIALS = 20
SHOWN = 15  # lines of the live table: the latest trials, and the best
EXIT_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


@dataclass(frozen=True)
class Tuned:
    """What a search found, and the run that its best trial became: None when Ctrl-C came before."""

    found: Found
    trained: Trained | None


def tune(
    space: SearchSpace,
    channels: Path,
    folder: Path,
    trials: int = TRIALS,
    seed: int = 1,
    seconds: float = math.inf,
    tick: Tick = silent,
    watch: "Trials | None" = None,
) -> Tuned:
    """Search until so many trials have ended or the time is up, and train the best into the folder, as `train` does."""
    found = search(space, channels, folder, trials, seed, seconds, tick, watch.show if watch else lambda trials: None)
    if found.interrupted or found.best is None:
        return Tuned(found, None)
    try:
        trained = train(channels, folder, space.hyperparameters(found.best.values), tick=tick)
    except KeyboardInterrupt:
        return Tuned(replace(found, interrupted=True), None)
    _write(folder, space, seed, found)
    return Tuned(found, trained)


def _write(folder: Path, space: SearchSpace, seed: int, found: Found) -> None:
    """Write what was searched and found beside the run."""
    facts = {
        "seed": seed,
        "ranges": space.document,
        "static_hyperparameters": space.static,
        "best": found.best and found.best.number,
        "trials": [asdict(trial) for trial in found.trials],
    }
    atomic.write_text(folder / SEARCH_NAME, json.dumps(facts, indent=1) + "\n")


class Trials:
    """The trials so far, as a table that is drawn anew while they are made."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._trials: Sequence[Trial] = ()

    def show(self, trials: Sequence[Trial]) -> None:
        """Take all trials that have ended."""
        self._trials = trials

    def __call__(self) -> Table:
        """Make the table: the best trial and the latest."""
        best = best_of(self._trials, self._space.maximize)
        latest = [trial for trial in self._trials[-SHOWN:] if trial is not best]
        shown = Table("trial", self._space.metric, "rounds", "seconds", *self._space.names, title_justify="left")
        for trial in sorted([*latest, *([best] if best else [])], key=lambda trial: trial.number):
            style = "bold green" if trial is best else "dim" if trial.pruned else ""
            shown.add_row(*_cells(trial, trial is best, self._space), style=style)
        for column in shown.columns:
            column.justify = "right"
        return shown


def _cells(trial: Trial, best: bool, space: SearchSpace) -> list[str]:
    """Return a trial's line: what is said by colour is said in words too."""
    said = " best" if best else " pruned" if trial.pruned else ""
    drawn = [trial.values[name] for name in space.names]
    return [f"{trial.number}{said}", f"{trial.value:.4f}", f"{trial.rounds:,}", f"{trial.seconds:.0f}", *drawn]


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
@options.tuning
@options.training_machines
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
    if on == options.HERE:
        options.refuse_here("verbose", *there)
        _search_here(space, channels, folder, trials, seed, seconds)
        return
    options.refuse("is of a search here; one on SageMaker has --max-jobs.", "trials", "seconds")
    from training.aws.command import connected
    from training.sagemaker.jobs import tuned_run  # boto3: slow to import, and only needed here

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
