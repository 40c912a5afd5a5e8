"""The validation of a tuning job's request: strategy, limits, objective and ranges, as the service checks them.

Only hyperparameters that the built-in algorithm calls tunable may vary (`training.tuning.ranges.TUNABLE`), in ranges
that the container accepts. Not supported, and refused: several training definitions, warm start, autotune, and
completion criteria other than a target value. Where the service's message is not published, it is the simulator's.
"""

import math
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import SentimentError
from simulator.container.eval_metrics import MAXIMIZED, MINIMIZED
from simulator.container.hyperparameters import TUNING_METRIC
from simulator.sagemaker.backend import Backend, InvalidRequestError
from simulator.sagemaker.jobs import training_jobs
from training.tuning.ranges import TUNABLE, CategoricalRange, NumericRange, check_ranges

Ranges = tuple[NumericRange | CategoricalRange, ...]
TUNING_JOBS_QUOTA = "Maximum number of training jobs per hyperparameter tuning job"
PARALLEL_TUNING_JOBS_QUOTA = "Maximum number of parallel training jobs per hyperparameter tuning job"
_UNSUPPORTED = ("TrainingJobDefinitions", "WarmStartConfig", "Autotune")
_UNSUPPORTED_CRITERIA = ("BestObjectiveNotImproving", "ConvergenceDetected")
_ANY_OBJECTIVE = {"Type": "Minimize", "MetricName": "validation:error"}
_INSTANCE_MEMBERS = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
_COPIED_MEMBERS = (  # of a training definition, to its training jobs
    *("AlgorithmSpecification", "RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "ResourceConfig"),
    *("StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
    *("EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "Environment"),
)


@dataclass(frozen=True)
class TuningPlan:
    """A validated tuning job."""

    strategy: str
    ranges: Ranges
    metric: str  # such as validation:logloss
    maximize: bool
    max_jobs: int
    max_parallel_jobs: int
    request: dict[str, Any]

    def training_request(self, name: str, values: dict[str, str]) -> dict[str, Any]:
        """Return the request for a training job with values of the tuned hyperparameters."""
        definition = self.request["TrainingJobDefinition"]
        static = definition.get("StaticHyperParameters", {})
        request = {member: definition[member] for member in _COPIED_MEMBERS if member in definition}
        if "HyperParameterTuningResourceConfig" in definition:
            request["ResourceConfig"] = _instances(definition["HyperParameterTuningResourceConfig"])
        if "CheckpointConfig" in request:  # a URL per job, or one would resume from another's checkpoints
            config = request["CheckpointConfig"]
            request["CheckpointConfig"] = config | {"S3Uri": f"{config['S3Uri'].rstrip('/')}/{name}"}
        hyperparameters = {**static, **values, TUNING_METRIC: self.metric}
        return request | {"TrainingJobName": name, "HyperParameters": hyperparameters}

    def described_definition(self) -> dict[str, Any]:
        """Return the training definition with the members that the service adds to it.

        That it adds a ResourceConfig is inferred: the SageMaker Python SDK sends none, and attaches only with one.
        """
        definition = self.request["TrainingJobDefinition"]
        static = definition.get("StaticHyperParameters", {})
        return {
            **definition,
            "ResourceConfig": self.training_request("any", {})["ResourceConfig"],
            "StaticHyperParameters": {**static, TUNING_METRIC: self.metric},
            **training_jobs.added_members(definition),
        }


def _instances(config: dict[str, Any]) -> dict[str, Any]:
    """Return the ResourceConfig of training jobs; of several InstanceConfigs, the first has capacity here."""
    first: dict[str, Any] = next(iter(config.get("InstanceConfigs", ())), {})
    return {member: value for member, value in (config | first).items() if member in _INSTANCE_MEMBERS}


def validate(backend: Backend, request: dict[str, Any]) -> TuningPlan:
    """Validate a request; raises `ServiceError`."""
    config = request["HyperParameterTuningJobConfig"]
    criteria = config.get("TuningJobCompletionCriteria", {})
    unsupported = [name for name in _UNSUPPORTED if request.get(name)]
    unsupported += [name for name in _UNSUPPORTED_CRITERIA if name in criteria]
    if unsupported:
        raise InvalidRequestError(f"The simulator does not support {', '.join(unsupported)}.")
    if "TrainingJobDefinition" not in request:
        raise InvalidRequestError("TrainingJobDefinition is required.")
    metric, maximize = _objective(config)
    ranges = _ranges(config, request["TrainingJobDefinition"])
    _check_strategy(config, ranges)
    max_jobs = _max_jobs(config, ranges)
    parallel = config["ResourceLimits"]["MaxParallelTrainingJobs"]
    backend.require_quota({TUNING_JOBS_QUOTA: max_jobs, PARALLEL_TUNING_JOBS_QUOTA: parallel}, {})
    plan = TuningPlan(config["Strategy"], ranges, metric, maximize, max_jobs, parallel, request)
    _check_training_jobs(backend, plan)
    return plan


def _objective(config: dict[str, Any]) -> tuple[str, bool]:
    """Return the objective metric and whether it is maximized."""
    objective = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise InvalidRequestError("A HyperParameterTuningJobObjective is required for this hyperparameter tuning job.")
    split, _, name = objective["MetricName"].partition(":")
    if split != "validation" or name not in (*MAXIMIZED, *MINIMIZED):
        known = ", ".join(f"validation:{metric}" for metric in (*MAXIMIZED, *MINIMIZED))
        raise InvalidRequestError(
            f"The objective metric {objective['MetricName']} is not one that the algorithm emits. Choose one of: "
            f"[{known}]."
        )
    if (objective["Type"] == "Maximize") != (name in MAXIMIZED):
        raise InvalidRequestError(
            f"The objective type {objective['Type']} does not match the metric {objective['MetricName']}."
        )
    return objective["MetricName"], name in MAXIMIZED


def _ranges(config: dict[str, Any], definition: dict[str, Any]) -> Ranges:
    """Return the ranges; raises `ServiceError` for those that the algorithm does not accept."""
    requested = config.get("ParameterRanges", {})
    names = [parameter["Name"] for ranges_of_type in requested.values() for parameter in ranges_of_type]
    untunable = [name for name in names if name not in TUNABLE]
    if untunable:
        raise InvalidRequestError(f"The hyperparameters [{', '.join(untunable)}] are not tunable for this algorithm.")
    static = [name for name in names if name in definition.get("StaticHyperParameters", {})]
    if static:
        raise InvalidRequestError(f"The hyperparameters [{', '.join(static)}] are both static and tuned.")
    try:
        return check_ranges({"ParameterRanges": requested, "HyperParameterTuningJobObjective": _ANY_OBJECTIVE}).ranges
    except SentimentError as error:
        raise InvalidRequestError(error.detail) from error


def _max_jobs(config: dict[str, Any], ranges: Ranges) -> int:
    """Return the number of training jobs."""
    strategy = config["Strategy"]
    combinations = math.prod(map(_size, ranges))
    max_jobs = config["ResourceLimits"].get("MaxNumberOfTrainingJobs", combinations if strategy == "Grid" else None)
    if max_jobs is None:
        raise InvalidRequestError(f"MaxNumberOfTrainingJobs is required for the strategy {strategy}.")
    if max_jobs > combinations:
        raise InvalidRequestError(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(combinations)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{max_jobs}]. Provide additional ranges."
        )
    if strategy == "Grid" and max_jobs != combinations:
        raise InvalidRequestError(
            f"The strategy Grid tries all {combinations} combinations: MaxNumberOfTrainingJobs must be equal to that."
        )
    return int(max_jobs)


def _size(values: NumericRange | CategoricalRange) -> float:
    """Return the number of values in a range."""
    if isinstance(values, CategoricalRange):
        return len(values.values)
    return values.high - values.low + 1 if values.is_integer else math.inf


def _check_strategy(config: dict[str, Any], ranges: Ranges) -> None:
    """Raise `ServiceError` for settings that the strategy does not support."""
    if config["Strategy"] == "Grid" and not all(isinstance(values, CategoricalRange) for values in ranges):
        raise InvalidRequestError("The strategy Grid supports CategoricalParameterRanges only.")
    if config["Strategy"] == "Hyperband" and config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise InvalidRequestError(
            "TrainingJobEarlyStoppingType must be Off for the strategy Hyperband, which stops jobs itself."
        )


def _check_training_jobs(backend: Backend, plan: TuningPlan) -> None:
    """Raise `ServiceError` if the training jobs are invalid or exceed a quota when they run in parallel."""
    request = plan.training_request("any", {})
    config = request.get("ResourceConfig", {})
    if "InstanceCount" in config:
        parallel = min(plan.max_parallel_jobs, plan.max_jobs)
        config = config | {"InstanceCount": config["InstanceCount"] * parallel}
    training_jobs.check(backend, request | {"ResourceConfig": config})
