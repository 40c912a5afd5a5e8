"""Step `tune`: a search over hyperparameters, whose best trial becomes a run like any other."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.table import Table

from training import atomic
from training.model.run_folder import SEARCH_NAME
from training.model.train import train
from training.model.trained import Trained
from training.progress import ProgressCallback, silent
from training.tuning.ranges import SearchSpace
from training.tuning.search import Found, Trial, best_of, search

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
    tick: ProgressCallback = silent,
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
