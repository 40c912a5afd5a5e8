"""Which hyperparameters a tuning job tries next, and which of its training jobs it gives up.

Random draws at random and Grid takes all combinations, as on AWS. Bayesian is Optuna's tree-structured Parzen estimator
(AWS uses Gaussian processes), Hyperband Optuna's. Early stopping "Auto" stops what is worse than the median of earlier
training jobs at the same round, as AWS documents it. So the way to the result is not that of AWS, the rules are.
"""

import hashlib
import itertools
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from simulator.sagemaker.jobs.tuning_checks import Plan
from training.tuning.draws import distribution, outward
from training.tuning.ranges import Choice

_RANDOM_FIRST = 5  # before there is something to draw conclusions from
_NOTHING_STOPPED_BEFORE = 3  # training jobs have ended
_REDUCTION = 3  # of the training jobs that Hyperband lets go on


class Draw:
    """One training job's hyperparameters, and what its rounds come to."""

    def __init__(self, values: dict[str, str], study: optuna.Study, trial: optuna.Trial) -> None:
        self.values = values
        self._study = study
        self._trial = trial

    def is_hopeless(self, rounds: int, value: float) -> bool:
        """Note the metric after so many rounds; tells whether the training job should be given up."""
        self._trial.report(value, rounds)
        return self._trial.should_prune()

    def tell(self, value: float | None) -> None:
        """Note what came of it; None for nothing."""
        state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
        self._study.tell(self._trial, value, state)


class Draws:
    """The draws of one tuning job, in their order."""

    def __init__(self, plan: Plan, name: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        config = plan.request["HyperParameterTuningJobConfig"]
        self._ranges = plan.ranges
        self._study = optuna.create_study(
            study_name=name,  # by which Hyperband spreads its brackets
            direction="maximize" if plan.maximize else "minimize",
            sampler=_sampler(plan, config.get("RandomSeed", _seed(name))),
            pruner=_pruner(plan, config),
        )
        self._grid = itertools.product(*(one.values for one in plan.ranges if isinstance(one, Choice)))
        self._is_grid = plan.strategy == "Grid"

    def next(self) -> Draw:
        """Draw."""
        if self._is_grid:
            values = dict(zip((one.name for one in self._ranges), next(self._grid), strict=True))
            return Draw(values, self._study, self._study.ask())
        trial = self._study.ask({one.name: distribution(one) for one in self._ranges})
        return Draw({one.name: outward(one, trial.params[one.name]) for one in self._ranges}, self._study, trial)


def _seed(name: str) -> int:
    """Return a seed that is a tuning job's own."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])


def _sampler(plan: Plan, seed: int) -> BaseSampler:
    if plan.strategy == "Bayesian":
        return TPESampler(n_startup_trials=_RANDOM_FIRST, seed=seed, multivariate=True)
    return RandomSampler(seed=seed)


def _pruner(plan: Plan, config: dict[str, Any]) -> BasePruner:
    if plan.strategy == "Hyperband":
        limits = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
        return HyperbandPruner(limits.get("MinResource", 1), limits.get("MaxResource", "auto"), _REDUCTION)
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        return MedianPruner(n_startup_trials=_NOTHING_STOPPED_BEFORE)
    return NopPruner()
