"""What a tuning job must be: strategy, limits, objective and ranges, as the service checks them before it begins.

Only hyperparameters that the built-in algorithm calls tunable may vary (`training.tuning.ranges.TUNABLE`), by ranges
the container takes. Not simulated, and refused: several training definitions, warm start, autotune, end criteria
but a target value. The words of refusals are the simulator's where nobody has published the service's.
"""

import math
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import SentimentError
from simulator.container.eval_metrics import MAXIMIZED, MINIMIZED
from simulator.sagemaker.backend import Backend, ServiceError
from simulator.sagemaker.jobs import training_jobs
from training.tuning.ranges import TUNABLE, Choice, Interval, check_ranges

_UNSIMULATED = ("TrainingJobDefinitions", "WarmStartConfig", "Autotune")
_UNSIMULATED_CRITERIA = ("BestObjectiveNotImproving", "ConvergenceDetected")
_ANY_OBJECTIVE = {"Type": "Minimize", "MetricName": "validation:error"}
_TAKEN_OVER = (  # members of a training definition that its training jobs have too
    *("RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition"),
    *("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"),
    *("CheckpointConfig", "RetryStrategy", "Environment"),
)


@dataclass(frozen=True)
class Plan:
    """A tuning job that was checked. `most` is how many training jobs it makes, `parallel` how many at a time."""

    strategy: str
    ranges: tuple[Interval | Choice, ...]
    metric: str  # as validation:logloss
    maximize: bool
    most: int
    parallel: int
    request: dict[str, Any]

    def training_job(self, name: str, values: dict[str, str]) -> dict[str, Any]:
        """Return the request for a training job with these values of what is searched."""
        definition = self.request["TrainingJobDefinition"]
        stated = {**definition.get("StaticHyperParameters", {}), **values, "_tuning_objective_metric": self.metric}
        asked = {member: definition[member] for member in _TAKEN_OVER if member in definition}
        if "CheckpointConfig" in asked:  # each has its own, or one would go on from another's
            config = asked["CheckpointConfig"]
            asked["CheckpointConfig"] = config | {"S3Uri": f"{config['S3Uri'].rstrip('/')}/{name}"}
        return asked | {
            "TrainingJobName": name,
            "AlgorithmSpecification": definition["AlgorithmSpecification"],
            "HyperParameters": stated,
        }


def check(world: Backend, request: dict[str, Any]) -> Plan:
    """Check a request; raises `ServiceError`."""
    config = request["HyperParameterTuningJobConfig"]
    given = [name for name in _UNSIMULATED if request.get(name)]
    given += [name for name in _UNSIMULATED_CRITERIA if name in config.get("TuningJobCompletionCriteria", {})]
    if given or "TrainingJobDefinition" not in request:
        raise _refusal(f"The simulator tunes one TrainingJobDefinition, without {', '.join(given) or 'others'}.")
    strategy = config["Strategy"]
    metric, maximize = _objective(config)
    ranges = _ranges(config, request["TrainingJobDefinition"])
    _check_strategy(config, strategy, ranges)
    most, parallel = _limits(config, strategy, ranges)
    plan = Plan(strategy, ranges, metric, maximize, most, parallel, request)
    _check_training(world, plan)
    return plan


def _refusal(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _objective(config: dict[str, Any]) -> tuple[str, bool]:
    """Return the metric and whether more of it is better."""
    objective = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise _refusal("A HyperParameterTuningJobObjective is required for this hyperparameter tuning job.")
    split, _, name = objective["MetricName"].partition(":")
    if split != "validation" or name not in (*MAXIMIZED, *MINIMIZED):
        known = ", ".join(f"validation:{one}" for one in (*MAXIMIZED, *MINIMIZED))
        raise _refusal(
            f"The objective metric {objective['MetricName']} is not one that the algorithm emits. Choose one of: "
            f"[{known}]."
        )
    if (objective["Type"] == "Maximize") != (name in MAXIMIZED):
        raise _refusal(f"The objective type {objective['Type']} does not go with {objective['MetricName']}.")
    return objective["MetricName"], name in MAXIMIZED


def _ranges(config: dict[str, Any], definition: dict[str, Any]) -> tuple[Interval | Choice, ...]:
    """Return the ranges; raises `ServiceError` for one that is none of the algorithm's."""
    stated = config.get("ParameterRanges", {})
    named = [one["Name"] for kind in stated.values() for one in kind]
    untunable = [name for name in named if name not in TUNABLE]
    if untunable:
        raise _refusal(f"The hyperparameters [{', '.join(untunable)}] are not tunable for this algorithm.")
    twice = [name for name in named if name in definition.get("StaticHyperParameters", {})]
    if twice:
        raise _refusal(f"The hyperparameters [{', '.join(twice)}] are both static and tuned.")
    try:
        return check_ranges({"ParameterRanges": stated, "HyperParameterTuningJobObjective": _ANY_OBJECTIVE}).ranges
    except SentimentError as error:
        raise _refusal(error.detail) from error


def _limits(config: dict[str, Any], strategy: str, ranges: tuple[Interval | Choice, ...]) -> tuple[int, int]:
    """Return how many training jobs there are, in all and at a time."""
    limits = config["ResourceLimits"]
    combinations = math.prod(_size(one) for one in ranges)
    most = limits.get("MaxNumberOfTrainingJobs", combinations if strategy == "Grid" else None)
    if most is None:
        raise _refusal(f"MaxNumberOfTrainingJobs is required for the strategy {strategy}.")
    if most > combinations:
        raise _refusal(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(combinations)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{most}]. Provide additional ranges."
        )
    if strategy == "Grid" and most != combinations:
        raise _refusal(
            f"The strategy Grid makes all {combinations} combinations: MaxNumberOfTrainingJobs must be that."
        )
    return int(most), limits["MaxParallelTrainingJobs"]


def _size(one: Interval | Choice) -> float:
    """Return how many values a range has."""
    if isinstance(one, Choice):
        return len(one.values)
    return one.high - one.low + 1 if one.whole else math.inf


def _check_strategy(config: dict[str, Any], strategy: str, ranges: tuple[Interval | Choice, ...]) -> None:
    """Raise `ServiceError` for settings that do not go with the strategy."""
    if strategy == "Grid" and not all(isinstance(one, Choice) for one in ranges):
        raise _refusal("The strategy Grid supports CategoricalParameterRanges only.")
    if strategy == "Hyperband" and config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise _refusal("TrainingJobEarlyStoppingType must be Off for the strategy Hyperband, which stops jobs itself.")


def _check_training(world: Backend, plan: Plan) -> None:
    """Raise `ServiceError` when the training jobs could not be made, all that run at a time together."""
    asked = plan.training_job("any", {})
    config = asked.get("ResourceConfig", {})
    count = config.get("InstanceCount", 0) * min(plan.parallel, plan.most)
    training_jobs.check(world, asked | {"ResourceConfig": config | ({"InstanceCount": count} if count else {})})
