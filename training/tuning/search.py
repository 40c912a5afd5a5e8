"""Searches hyperparameters with Optuna: one trial after another, each trained as `train` would, until enough are done.

Trials go into a journal beside the run, so that a search which was stopped goes on where it was. The sampler is seeded
anew for every trial, by the search's seed and the number of trials before it: a search that was stopped and one that
was not make the same trials. What this module does not do: check ranges (`ranges`), decide which trial is
hopeless (`training.tuning.pruning`), or show anything (`training.tuning.tune`).
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
from training.features.channels import JUDGED_PAIR, load_prepared, pair_of
from training.model.hyperparameters import parse
from training.model.train import fit
from training.progress import ProgressCallback, silent
from training.tuning.draws import distribution, inward, outward
from training.tuning.pruning import CurvePruner, Reporter
from training.tuning.ranges import SearchSpace

JOURNAL_NAME = "trials.journal"
RANDOM_TRIALS = 5  # the first ones: after them there is something to draw conclusions from


class SearchError(SentimentError):
    """A search that cannot go on where its journal ends."""

    type = "search-refused"
    title = "This search cannot go on"


@dataclass(frozen=True)
class Trial:
    """A trial that ended. `values` are the hyperparameters searched; `value` is the metric on validation.

    A `pruned` one was stopped as hopeless: `value` and `rounds` are those it had come to. Otherwise they belong to its
    best round.
    """

    number: int  # 1..
    pruned: bool
    value: float
    rounds: int
    seconds: float
    values: dict[str, str]


@dataclass(frozen=True)
class Found:
    """All trials of a search so far, the best of those that were not pruned, and whether Ctrl-C ended it."""

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
    tick: ProgressCallback = silent,
    show: Callable[[Sequence[Trial]], None] = lambda trials: None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Make trials until so many have ended, earlier calls' counted, or no time is left to begin another.

    `show` gets all trials whenever one has ended, and at the beginning. Ctrl-C ends the search, not the program: the
    trial under way is lost, the others are kept. Raises `SearchError` when the folder's journal is another search's.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _open(folder / JOURNAL_NAME, space, _identity(space, channels, seed))
    deadline = clock() + seconds
    interrupted = False
    try:
        show(_ended(study))
        while len(_ended(study)) < trials and clock() < deadline:
            _try_next(study, space, channels, seed, tick, clock)
            show(_ended(study))
    except KeyboardInterrupt:
        interrupted = True
    ended = tuple(_ended(study))
    return Found(ended, best_of(ended, space.maximize), interrupted)


def best_of(trials: Sequence[Trial], maximize: bool) -> Trial | None:
    """Return the best trial that was not pruned, the first of equals; None when there is none."""
    whole = [trial for trial in trials if not trial.pruned]
    return (max if maximize else min)(whole, key=lambda trial: trial.value, default=None)


def _identity(space: SearchSpace, channels: Path, seed: int) -> dict[str, object]:
    """Return all that decides a search but its length, by what a person would call it."""
    prepared, _ = load_prepared(channels)
    return {
        "ranges": space.document,
        "static hyperparameters": space.static,
        "seed": seed,
        "channels": hashlib.sha256(json.dumps(prepared.channel_sha256, sort_keys=True).encode()).hexdigest(),
        "versions": {"optuna": optuna.__version__, "xgboost": xgboost.__version__},
    }


def _open(path: Path, space: SearchSpace, identity: dict[str, object]) -> optuna.Study:
    """Open a journal, or begin one; raises `SearchError` when it is another search's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    another = f"Give this one another --name, or remove {path} to begin anew."
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            study_name="search",
            direction="maximize" if space.maximize else "minimize",
            pruner=CurvePruner(),
            load_if_exists=True,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SearchError(f"{path} is not the journal of a search ({error}). {another}") from error
    if not study.user_attrs:
        study.set_user_attr("identity", identity)
    before = study.user_attrs["identity"]
    differs = [name for name, value in identity.items() if before.get(name) != value]
    if differs:
        raise SearchError(f"{path} is of a search with other {' and '.join(differs)}. {another}")
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)  # cut off when the program was killed
    return study


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that tell something about their hyperparameters, in their order."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _ended(study: optuna.Study) -> list[Trial]:
    """Return those trials as they are shown."""
    return [
        Trial(
            number=position,
            pruned=one.state == TrialState.PRUNED,
            value=one.value if one.value is not None else math.nan,
            rounds=one.user_attrs["rounds"],
            seconds=one.user_attrs["seconds"],
            values=one.user_attrs["values"],
        )
        for position, one in enumerate(_finished(study), start=1)
    ]


def _try_next(
    study: optuna.Study,
    space: SearchSpace,
    channels: Path,
    seed: int,
    tick: ProgressCallback,
    clock: Callable[[], float],
) -> None:
    """Make one trial: draw, train, tell."""
    before = len(_finished(study))
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=RANDOM_TRIALS, seed=_trial_seed(seed, before), multivariate=True
    )
    if space.start and not before and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial({one.name: inward(one, space.start[one.name]) for one in space.ranges})
    trial = study.ask({one.name: distribution(one) for one in space.ranges})
    values = {one.name: outward(one, trial.params[one.name]) for one in space.ranges}
    hyperparameters = parse(space.hyperparameters(values))
    reporter = Reporter(trial, space.metric)
    started = clock()
    try:
        booster, history = fit(
            channels / pair_of(JUDGED_PAIR), hyperparameters, _numbered(tick, before + 1), [reporter]
        )
        state, rounds = TrialState.COMPLETE, booster.num_boosted_rounds()
        value = history["validation"][space.metric][rounds - 1]
    except optuna.TrialPruned:
        state, rounds, value = TrialState.PRUNED, reporter.rounds, None
    except KeyboardInterrupt:
        study.tell(trial, state=TrialState.FAIL)
        raise
    for name, fact in (("values", values), ("rounds", rounds), ("seconds", round(clock() - started, 1))):
        trial.set_user_attr(name, fact)
    study.tell(trial, value, state)


def _trial_seed(seed: int, before: int) -> int:
    """Return the sampler's seed for the trial that has so many before it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {before}".encode()).digest()[:4])


def _numbered(tick: ProgressCallback, number: int) -> ProgressCallback:
    """Make a `ProgressCallback` that says which trial it is about."""

    def numbered(done: int, total: int, seen: str = "") -> None:
        tick(done, total, f"trial {number}, {seen}")

    return numbered
