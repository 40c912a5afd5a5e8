"""Hyperparameter tuning: a search, and a run trained with the best trial's hyperparameters."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.table import Table

from training import atomic, locks
from training.model.cross_validation import TrainingResult
from training.model.run_folder import SEARCH_NAME
from training.model.train import train
from training.progress import FittingTable, ProgressCallback, silent
from training.tuning.ranges import SearchSpace
from training.tuning.search import SearchResult, Trial, best_of, search

DEFAULT_NAME = "tuned"
TRIALS = 20
SHOWN = 15  # rows of the live table: the latest trials, and the best


@dataclass(frozen=True)
class TuningResult:
    """A search's result, and the run trained from its best trial; None if Ctrl-C came first."""

    search: SearchResult
    trained: TrainingResult | None


def tune(
    space: SearchSpace,
    channels: Path,
    folder: Path,
    trials: int = TRIALS,
    seed: int = 1,
    seconds: float = math.inf,
    progress: ProgressCallback = silent,
    table: "TrialTable | None" = None,
) -> TuningResult:
    """Search until enough trials have finished or time is up, then train the best trial into the folder.

    Raises `InUseError` if another command is using a folder.
    """
    show = table.show if table else lambda trials: None
    with locks.writing(folder), locks.reading(channels):
        found = search(space, channels, folder, trials, seed, seconds, progress, show)
        return _train_best(found, space, channels, folder, seed, progress)


def _train_best(
    found: SearchResult, space: SearchSpace, channels: Path, folder: Path, seed: int, progress: ProgressCallback
) -> TuningResult:
    """Train the best trial of a search into the folder, unless the search was interrupted."""
    if found.interrupted or found.best is None:
        return TuningResult(found, None)
    try:
        trained = train(channels, folder, space.hyperparameters(found.best.values), progress=progress)
    except KeyboardInterrupt:
        return TuningResult(replace(found, interrupted=True), None)
    _write(folder, space, seed, found)
    return TuningResult(found, trained)


def _write(folder: Path, space: SearchSpace, seed: int, found: SearchResult) -> None:
    """Write the ranges and all trials beside the run."""
    facts = {
        "seed": seed,
        "ranges": space.document,
        "static_hyperparameters": space.static,
        "best": found.best and found.best.number,
        "trials": [asdict(trial) for trial in found.trials],
    }
    atomic.write_text(folder / SEARCH_NAME, json.dumps(facts, indent=1) + "\n")


class TrialTable:
    """The live table of trials."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._trials: Sequence[Trial] = ()

    def show(self, trials: Sequence[Trial]) -> None:
        """Update the finished trials."""
        self._trials = trials

    def __call__(self) -> Table:
        """Return the table: the best trial and the latest ones."""
        best = best_of(self._trials, self._space.maximize)
        latest = [trial for trial in self._trials[-SHOWN:] if trial is not best]
        shown = FittingTable("trial", self._space.metric, "rounds", "seconds", *self._space.names, title_justify="left")
        for trial in sorted([*latest, *([best] if best else [])], key=lambda trial: trial.number):
            style = "bold green" if trial is best else "dim" if trial.pruned else ""
            shown.add_row(*_cells(trial, trial is best, self._space), style=style)
        for column in shown.columns:
            column.justify = "right"
        return shown


def _cells(trial: Trial, best: bool, space: SearchSpace) -> list[str]:
    """Return a trial's row; its state is shown in words, not by colour alone."""
    state = " best" if best else " pruned" if trial.pruned else ""
    drawn = [trial.values[name] for name in space.names]
    return [f"{trial.number}{state}", f"{trial.value:.4f}", f"{trial.rounds:,}", f"{trial.seconds:.0f}", *drawn]
