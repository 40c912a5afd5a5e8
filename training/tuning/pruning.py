"""Stops a trial whose learning curve leads nowhere better than the best trial before it.

The usual rule, worse than the median at the same round, is wrong for boosting: what learns slowly (a small `eta`, few
columns a tree) is behind for hundreds of rounds and often ends best. So a trial is compared with where it is going: a
power law through three points of its curve, `a + b * rounds ** -c`, has the limit `a` (Aitken's extrapolation, on
rounds that grow by one factor). See docs/how-to/tune.md for how this was measured.
"""

import math
from collections.abc import Sequence
from typing import Any

import optuna
import xgboost
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

REPORT_ROUNDS = 10  # a trial is looked at every so many rounds
_FACTOR = 1.5  # between the rounds of the three points
_LEAST_POINT = 8  # the first of them is at least so many reports from the start
_PATIENCE = 3  # so many looks in a row must see no hope
_TOO_COARSE = frozenset(("error",))  # steps of single reviews: such a curve follows no law


def limit(losses: Sequence[float]) -> float:
    """Return where a curve of losses at equal distances, less being better, is going: minus infinity for unknown.

    `[1 + 1 / (n + 1) for n in range(900)]` -> about 1.
    """
    second = round(len(losses) / _FACTOR)
    first = round(second / _FACTOR)
    if first < _LEAST_POINT:
        return -math.inf
    before, lately = losses[first - 1] - losses[second - 1], losses[second - 1] - losses[-1]
    if lately <= 0:
        return losses[-1]
    return losses[-1] - lately**2 / (before - lately) if before > lately else -math.inf


class CurvePruner(optuna.pruners.BasePruner):
    """Stops a trial when its curve has led to nothing better than the best trial, look after look."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether to stop a trial, from the values it reported."""
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        best = min((sign * one.value for one in whole if one.value is not None), default=None)
        losses = [sign * trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
        looks = [losses[: len(losses) - back] for back in range(_PATIENCE)]
        return best is not None and all(limit(look) >= best for look in looks)


class Reporter(xgboost.callback.TrainingCallback):
    """Reports a trial's metric on validation every `REPORT_ROUNDS`, and stops the trial when its pruner says so."""

    def __init__(self, trial: optuna.Trial, metric: str) -> None:
        super().__init__()
        self._trial = trial
        self._metric = metric
        self.rounds = 0

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Take the figures of a round; raises `optuna.TrialPruned`, or returns False, so that training goes on."""
        self.rounds = epoch + 1
        if self.rounds % REPORT_ROUNDS == 0 and self._metric not in _TOO_COARSE:
            self._trial.report(evals_log["validation"][self._metric][-1], self.rounds)
            if self._trial.should_prune():
                raise optuna.TrialPruned
        return False
