"""Pruning of trials whose learning curve leads to nothing better than the best finished trial.

The usual rule, worse than the median at the same round, is wrong for boosting: slow learners (a small `eta`, few
columns a tree) are behind for hundreds of rounds and often end best. So a trial is compared by its extrapolated limit:
a power law through three points of its curve, `a + b * rounds ** -c`, has the limit `a` (Aitken's extrapolation, on
rounds in a geometric sequence). docs/how-to/tune.md has the measurements.
"""

import math
from collections.abc import Sequence
from typing import Any

import optuna
import xgboost
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

REPORT_ROUNDS = 10  # rounds between two reports of a trial
_FACTOR = 1.5  # ratio between the rounds of the three points
_LEAST_POINT = 8  # reports before the first of the three points, at least
_PATIENCE = 3  # consecutive reports that must be hopeless
_TOO_COARSE = frozenset(("error",))  # moves in steps of single reviews, so its curve follows no power law


def limit(losses: Sequence[float]) -> float:
    """Extrapolate a curve of losses at equal distances to its limit; returns minus infinity if that is unknown.

    `[1 + 1 / (n + 1) for n in range(900)]` -> about 1.
    """
    second = round(len(losses) / _FACTOR)
    first = round(second / _FACTOR)
    if first < _LEAST_POINT:
        return -math.inf
    earlier_gain, later_gain = losses[first - 1] - losses[second - 1], losses[second - 1] - losses[-1]
    if later_gain <= 0:
        return losses[-1]
    if earlier_gain <= later_gain:
        return -math.inf
    return losses[-1] - later_gain**2 / (earlier_gain - later_gain)


class CurvePruner(optuna.pruners.BasePruner):
    """Prunes a trial if its extrapolated limit was no better than the best trial in several consecutive reports."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether to stop a trial, from the values it reported."""
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        best = min((sign * other.value for other in completed if other.value is not None), default=None)
        losses = [sign * trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
        curves = [losses[: len(losses) - back] for back in range(_PATIENCE)]
        return best is not None and all(limit(curve) >= best for curve in curves)


class Reporter(xgboost.callback.TrainingCallback):
    """Reports a trial's validation metric every `REPORT_ROUNDS` rounds, and stops a pruned trial."""

    def __init__(self, trial: optuna.Trial, metric: str) -> None:
        super().__init__()
        self._trial = trial
        self._metric = metric
        self.rounds = 0

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Report a round; raises `optuna.TrialPruned`, or returns False to continue."""
        self.rounds = epoch + 1
        if self.rounds % REPORT_ROUNDS == 0 and self._metric not in _TOO_COARSE:
            self._trial.report(evals_log["validation"][self._metric][-1], self.rounds)
            if self._trial.should_prune():
                raise optuna.TrialPruned
        return False
