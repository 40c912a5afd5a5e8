"""Training job API operations, for the built-in XGBoost image.

A Create request is checked as the service does: role, image, quotas, spot settings, and existing objects in S3.
Whatever the container refuses fails the job later (see `training_run`). Not simulated: other algorithms, own containers
and scripts, VPCs, KMS keys, warm pools, instance groups, and the Debugger; settings that would change a job's result
are refused.
"""

from typing import Any

from simulator.container.eval_metrics import metric_definitions
from simulator.sagemaker.backend import Backend, InvalidRequestError, SimulatedResource
from simulator.sagemaker.images import require_image
from simulator.sagemaker.jobs import job_lifecycle, training_run
from simulator.sagemaker.jobs.training_channels import require_channels
from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from simulator.sagemaker.resource_operations import resource_operations
from simulator.sagemaker.roles import require_assumable
from simulator.sagemaker.service import Operation

DAY_SECONDS = 86_400
_SCRIPT_MODE = {"sagemaker_program", "sagemaker_submit_directory"}
_UNSUPPORTED = ("RetryStrategy", "ServerlessJobConfig", "ModelPackageConfig", "Environment")


def create_training_job(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start a training job."""
    check(backend, request)
    return {"TrainingJobArn": start(backend, request).arn}


def check(backend: Backend, request: dict[str, Any]) -> None:
    """Raise `ServiceError` for a request that the service would refuse; the job's name is not checked."""
    _check_algorithm(backend, request)
    config = request.get("ResourceConfig", {})
    missing = [name for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB") if name not in config]
    if missing:
        raise InvalidRequestError(f"ResourceConfig must have {', '.join(missing)}.")
    _check_spot(request)
    require_assumable(backend, request["RoleArn"])
    require_channels(backend, request)
    job_lifecycle.require_instances(backend, TRAINING_JOB, _quota(request), config["InstanceCount"])


def start(
    backend: Backend, request: dict[str, Any], private: dict[str, Any] | None = None, **facts: Any
) -> SimulatedResource:
    """Start a job that was checked; raises `ServiceError` if its name is taken.

    `private["on_round"]` is called after every round with the number of rounds and the metrics: `{"train:error": 0.1}`.
    """
    defaults = {"HyperParameters": {}, "EnableManagedSpotTraining": False}
    condition = {"MaxRuntimeInSeconds": DAY_SECONDS, **request.get("StoppingCondition", {})}
    instances = {"quota": _quota(request), "instances": request["ResourceConfig"]["InstanceCount"]}
    return job_lifecycle.start(
        backend,
        TRAINING_JOB,
        defaults | request,
        training_run.run,
        training_run.fail,
        instances | (private or {}),
        StoppingCondition=condition,
        **added_members(request),
        SecondaryStatus="Starting",
        SecondaryStatusTransitions=[],
        **facts,
    )


def added_members(request: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a job's or definition's description to which the service adds something."""
    algorithm = request["AlgorithmSpecification"]
    return {
        "AlgorithmSpecification": algorithm | {"MetricDefinitions": metric_definitions()},
        "OutputDataConfig": {"KmsKeyId": "", **request["OutputDataConfig"]},
    }


def stop_training_job(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Request a job to stop after its current round."""
    job = backend.find(TRAINING_JOB, request["TrainingJobName"])
    job_lifecycle.stop(backend, job)
    training_run.enter_state(backend, job, "Stopping")
    return {}


def _check_algorithm(backend: Backend, request: dict[str, Any]) -> None:
    """Raise `ServiceError` unless the job uses the built-in image without changes."""
    algorithm = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise InvalidRequestError("The simulator supports only the XGBoost image: set TrainingImage.")
    require_image(backend, algorithm["TrainingImage"])
    if algorithm.get("MetricDefinitions"):
        raise InvalidRequestError(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions.",
        )
    if script := sorted(_SCRIPT_MODE & request.get("HyperParameters", {}).keys()):
        raise InvalidRequestError(
            f"The simulator runs the built-in algorithm, not your own script: the hyperparameters {', '.join(script)} "
            "select script mode. Train without an entry point, with sagemaker.estimator.Estimator."
        )
    for name in _UNSUPPORTED:
        if request.get(name):
            raise InvalidRequestError(f"The simulator does not support {name}.")


def _check_spot(request: dict[str, Any]) -> None:
    """Raise `ServiceError` if the longest wait for a spot job does not fit its longest run time."""
    condition = request.get("StoppingCondition", {})
    runtime, wait = condition.get("MaxRuntimeInSeconds", DAY_SECONDS), condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise InvalidRequestError(
                "MaxWaitTimeInSeconds is only supported when EnableManagedSpotTraining is set to true."
            )
    elif wait is None or wait < runtime:
        raise InvalidRequestError(
            f"Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds "
            f"({runtime}) when EnableManagedSpotTraining is set to true.",
        )


def _quota(request: dict[str, Any]) -> str:
    """Return the name of the quota for a job's instances."""
    spot = "spot " if request.get("EnableManagedSpotTraining") else ""
    return f"{request['ResourceConfig']['InstanceType']} for {spot}training job usage"


OPERATIONS: dict[str, Operation] = {
    **resource_operations(TRAINING_JOB),
    "CreateTrainingJob": create_training_job,
    "StopTrainingJob": stop_training_job,
}
