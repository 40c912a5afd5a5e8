import json
import math
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from training.tuning.pruning import REPORT_ROUNDS, CurvePruner, limit

# Log loss on the official set's validation every 10 rounds: the default recipe; colsample_bytree 0.012, lambda 0.86;
# eta 0.099, colsample_bytree 0.034, lambda 0.31.
CURVES = json.loads(Path(__file__).with_name("learning_curves.json").read_text())


def reported_rounds(curve: Any, study: Any) -> Any:
    """Report a curve as a trial would; return the rounds until it was stopped, or None."""
    trial = study.ask()
    for position, value in enumerate(curve, start=1):
        trial.report(value, position * REPORT_ROUNDS)
        if trial.should_prune():
            return position * REPORT_ROUNDS
    study.tell(trial, min(curve) if study.direction.name == "MINIMIZE" else max(curve))
    return None


@pytest.fixture
def study() -> Any:
    return optuna.create_study(direction="minimize", pruner=CurvePruner())


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_limit_of_a_power_law_is_found(power: float) -> None:
    assert limit([2 + 3 * n**-power for n in range(1, 901)]) == pytest.approx(2, abs=0.01)


def test_a_flat_or_rising_curve_has_its_last_value_as_limit() -> None:
    assert limit([1.0] * 20) == 1
    assert limit([*range(20, 0, -1), *range(1, 21)]) == 20


@pytest.mark.parametrize("losses", [[], [1.0], [1 / n for n in range(1, 18)], [30 - n**2 / 100 for n in range(40)]])
def test_a_short_or_accelerating_curve_has_no_known_limit(losses: Any) -> None:
    assert limit(losses) == -math.inf


def test_the_first_trial_is_never_pruned(study: Any) -> None:
    assert reported_rounds(CURVES["fast and worse"], study) is None


def test_a_slow_learner_is_not_pruned(study: Any) -> None:
    assert reported_rounds(CURVES["best"], study) is None
    slow, best = CURVES["slow and good"], CURVES["best"]
    assert slow[20] > best[20]
    assert reported_rounds(slow, study) is None


def test_a_hopeless_trial_is_pruned_well_before_its_end(study: Any) -> None:
    reported_rounds(CURVES["best"], study)
    rounds = reported_rounds(CURVES["fast and worse"], study)
    assert rounds < 0.8 * len(CURVES["fast and worse"]) * REPORT_ROUNDS
    assert min(CURVES["fast and worse"]) > min(CURVES["best"])


def test_a_maximized_metric_is_compared_by_larger_values() -> None:
    study = optuna.create_study(direction="maximize", pruner=CurvePruner())
    rising, lower = ([1 - loss for loss in CURVES[name]] for name in ("best", "fast and worse"))
    assert reported_rounds(rising, study) is None
    assert reported_rounds(lower, study) is not None


def test_one_hopeless_report_is_not_enough(study: Any) -> None:
    study.add_trial(optuna.trial.create_trial(state=TrialState.COMPLETE, value=0.5))
    falling = [1 / (1 + n / 10) + 0.4 for n in range(60)]
    dented = [*falling[:30], 0.9, *falling[31:]]
    assert reported_rounds(dented, study) is None
