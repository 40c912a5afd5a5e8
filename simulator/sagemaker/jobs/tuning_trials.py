"""The trials of a tuning job: the next hyperparameters to try, and early stopping of training jobs.

Random draws at random and Grid tries all combinations, as on AWS. Bayesian is Optuna's tree-structured Parzen estimator
(AWS uses Gaussian processes), Hyperband is Optuna's. Early stopping "Auto" stops a job whose metric is worse than the
median of earlier jobs at the same round, as AWS documents it. The rules are those of AWS, the drawn values are not.
"""

import hashlib
import itertools
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from simulator.sagemaker.jobs.tuning_plan import TuningPlan
from training.tuning.ranges import CategoricalRange, from_optuna, optuna_distribution

_RANDOM_TRIALS = 5  # before the Bayesian sampler uses earlier results
_TRIALS_BEFORE_STOPPING = 3
_REDUCTION_FACTOR = 3  # of Hyperband: a third of the training jobs continue


class DrawnTrial:
    """One training job's hyperparameters and results."""

    def __init__(self, values: dict[str, str], study: optuna.Study, trial: optuna.Trial) -> None:
        self.values = values
        self._study = study
        self._trial = trial

    def should_stop(self, rounds: int, value: float) -> bool:
        """Record the metric after a number of rounds; returns whether the training job should be stopped early."""
        self._trial.report(value, rounds)
        return self._trial.should_prune()

    def finish(self, value: float | None) -> None:
        """Record the final metric, None for a failed training job."""
        state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
        self._study.tell(self._trial, value, state)


class Trials:
    """The sequence of a tuning job's trials."""

    def __init__(self, plan: TuningPlan, name: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        config = plan.request["HyperParameterTuningJobConfig"]
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
        self._ranges = plan.ranges
        self._study = optuna.create_study(
            study_name=name,  # Hyperband distributes trials over brackets by this name
            direction="maximize" if plan.maximize else "minimize",
            sampler=_sampler(plan, config.get("RandomSeed", seed)),
            pruner=_pruner(plan, config),
        )
        self._grid = itertools.product(
            *(choice.values for choice in plan.ranges if isinstance(choice, CategoricalRange))
        )
        self._is_grid = plan.strategy == "Grid"

    def next(self) -> DrawnTrial:
        """Return the next trial."""
        if self._is_grid:
            values = dict(zip((choice.name for choice in self._ranges), next(self._grid), strict=True))
            return DrawnTrial(values, self._study, self._study.ask())
        trial = self._study.ask({values.name: optuna_distribution(values) for values in self._ranges})
        drawn = {values.name: from_optuna(values, trial.params[values.name]) for values in self._ranges}
        return DrawnTrial(drawn, self._study, trial)


def _sampler(plan: TuningPlan, seed: int) -> BaseSampler:
    if plan.strategy == "Bayesian":
        return TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=seed, multivariate=True)
    return RandomSampler(seed=seed)


def _pruner(plan: TuningPlan, config: dict[str, Any]) -> BasePruner:
    if plan.strategy == "Hyperband":
        limits = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
        return HyperbandPruner(limits.get("MinResource", 1), limits.get("MaxResource", "auto"), _REDUCTION_FACTOR)
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        return MedianPruner(n_startup_trials=_TRIALS_BEFORE_STOPPING)
    return NopPruner()
