"""Hyperparameter search with Optuna: one trial after another, each trained like `train`, until enough have finished.

Trials are stored in a journal beside the run, so a stopped search can be resumed. The sampler is seeded for each trial
by the search's seed and the number of earlier trials: a resumed search makes the same trials as an uninterrupted one.
Not here: checks of ranges (`ranges`), the pruning rule (`pruning`), and output (`tune`).
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
import xgboost
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from chalicelib.errors import SentimentError
from training.features.channels import SEARCH_FOLD, load_prepared, pair_of
from training.model.hyperparameters import parse
from training.model.train import fit
from training.progress import ProgressCallback, silent
from training.tuning.pruning import CurvePruner, Reporter
from training.tuning.ranges import SearchSpace, from_optuna, optuna_distribution, to_optuna

JOURNAL_NAME = "trials.journal"
RANDOM_TRIALS = 5  # before the sampler uses earlier results


class SearchError(SentimentError):
    """A search that cannot be resumed from its journal."""

    type = "search-refused"
    title = "This search cannot be resumed"


@dataclass(frozen=True)
class Trial:
    """A finished trial. `values` are the searched hyperparameters; `value` is the validation metric.

    `value` and `rounds` are those of its last round if it was pruned, of its best round otherwise.
    """

    number: int  # from 1
    pruned: bool
    value: float
    rounds: int
    seconds: float
    values: dict[str, str]


@dataclass(frozen=True)
class SearchResult:
    """All finished trials of a search, the best one that was not pruned, and whether Ctrl-C ended the search."""

    trials: tuple[Trial, ...]
    best: Trial | None
    interrupted: bool


def search(
    space: SearchSpace,
    channels: Path,
    folder: Path,
    trials: int,
    seed: int,
    seconds: float = math.inf,
    progress: ProgressCallback = silent,
    show: Callable[[Sequence[Trial]], None] = lambda trials: None,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Run trials until `trials` have finished, earlier calls included, or `seconds` have passed.

    `show` receives all finished trials at the start and after each trial. Ctrl-C ends the search, not the program, and
    loses the running trial only. Raises `SearchError` if the folder's journal belongs to another search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _open(folder / JOURNAL_NAME, space, _identity(space, channels, seed))
    deadline = clock() + seconds
    interrupted = False
    try:
        show(_finished_trials(study))
        while len(_finished_trials(study)) < trials and clock() < deadline:
            _run_trial(study, space, channels, seed, progress, clock)
            show(_finished_trials(study))
    except KeyboardInterrupt:
        interrupted = True
    finished = tuple(_finished_trials(study))
    return SearchResult(finished, best_of(finished, space.maximize), interrupted)


def best_of(trials: Sequence[Trial], maximize: bool) -> Trial | None:
    """Return the best trial that was not pruned, the first of equals; None if there is none."""
    completed = [trial for trial in trials if not trial.pruned]
    return (max if maximize else min)(completed, key=lambda trial: trial.value, default=None)


def _identity(space: SearchSpace, channels: Path, seed: int) -> dict[str, object]:
    """Return everything that decides a search except its length, under readable names."""
    prepared, _ = load_prepared(channels)
    return {
        "ranges": space.document,
        "static hyperparameters": space.static,
        "seed": seed,
        "channels": hashlib.sha256(json.dumps(prepared.channel_sha256, sort_keys=True).encode()).hexdigest(),
        "versions": {"optuna": optuna.__version__, "xgboost": xgboost.__version__},
    }


def _open(path: Path, space: SearchSpace, identity: dict[str, object]) -> optuna.Study:
    """Open or create a journal; raises `SearchError` if it belongs to another search."""
    path.parent.mkdir(parents=True, exist_ok=True)
    advice = f"Choose another --name, or remove {path} to start again."
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            study_name="search",
            direction="maximize" if space.maximize else "minimize",
            pruner=CurvePruner(),
            load_if_exists=True,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SearchError(f"{path} is not the journal of a search ({error}). {advice}") from error
    if not study.user_attrs:
        study.set_user_attr("identity", identity)
    stored = study.user_attrs["identity"]
    differs = [name for name, value in identity.items() if stored.get(name) != value]
    if differs:
        raise SearchError(f"{path} belongs to a search with other {' and '.join(differs)}. {advice}")
    for unfinished in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(unfinished.number, state=TrialState.FAIL)  # the program was killed during this trial
    return study


def _completed_or_pruned(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials with a result, in order."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _finished_trials(study: optuna.Study) -> list[Trial]:
    """Return the finished trials, numbered from 1."""
    return [
        Trial(
            number=position,
            pruned=frozen.state == TrialState.PRUNED,
            value=frozen.value if frozen.value is not None else math.nan,
            rounds=frozen.user_attrs["rounds"],
            seconds=frozen.user_attrs["seconds"],
            values=frozen.user_attrs["values"],
        )
        for position, frozen in enumerate(_completed_or_pruned(study), start=1)
    ]


def _run_trial(
    study: optuna.Study,
    space: SearchSpace,
    channels: Path,
    seed: int,
    progress: ProgressCallback,
    clock: Callable[[], float],
) -> None:
    """Run one trial: draw hyperparameters, train, report the result to Optuna."""
    earlier = len(_completed_or_pruned(study))
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=RANDOM_TRIALS, seed=_trial_seed(seed, earlier), multivariate=True
    )
    if space.start and not earlier and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial({range_.name: to_optuna(range_, space.start[range_.name]) for range_ in space.ranges})
    trial = study.ask({range_.name: optuna_distribution(range_) for range_ in space.ranges})
    values = {range_.name: from_optuna(range_, trial.params[range_.name]) for range_ in space.ranges}
    hyperparameters = parse(space.hyperparameters(values))
    reporter = Reporter(trial, space.metric)
    started = clock()
    try:
        booster, history = fit(
            channels / pair_of(SEARCH_FOLD), hyperparameters, _numbered(progress, earlier + 1), [reporter]
        )
        state, rounds = TrialState.COMPLETE, booster.num_boosted_rounds()
        value = history["validation"][space.metric][rounds - 1]
    except optuna.TrialPruned:
        state, rounds, value = TrialState.PRUNED, reporter.rounds, None
    except KeyboardInterrupt:
        study.tell(trial, state=TrialState.FAIL)
        raise
    for name, value_ in (("values", values), ("rounds", rounds), ("seconds", round(clock() - started, 1))):
        trial.set_user_attr(name, value_)
    study.tell(trial, value, state)


def _trial_seed(seed: int, earlier: int) -> int:
    """Return the sampler's seed for the trial after `earlier` trials."""
    return int.from_bytes(hashlib.sha256(f"{seed} {earlier}".encode()).digest()[:4])


def _numbered(progress: ProgressCallback, number: int) -> ProgressCallback:
    """Return a `ProgressCallback` that adds the trial's number to the text."""

    def numbered(done: int, total: int, seen: str = "") -> None:
        progress(done, total, f"trial {number}, {seen}")

    return numbered
