"""Training jobs of the built-in XGBoost image: what a request must be, and what is told about a job.

Checked when a job is made: what the service checks then (the role, the image, quotas, spot settings, that there are
objects in S3); whatever the container finds wrong fails the job later (see `training_run`). Not simulated: algorithms
other than the image, own containers and scripts, VPCs, KMS keys, warm pools, instance groups, the Debugger; those that
would change what a job gives are refused.
"""

from copy import deepcopy
from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.hosting.models import require_image
from simulator.sagemaker.jobs import job_states, training_channels, training_run
from simulator.sagemaker.jobs.training_run import KIND, STATUS
from simulator.sagemaker.listing import page
from simulator.sagemaker.roles import require_assumable
from simulator.sagemaker.service import Operation

DAY_SECONDS = 86_400
_UNSIMULATED = ("RetryStrategy", "ServerlessJobConfig", "ModelPackageConfig", "Environment")
_SUMMARY = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime", STATUS)


def create_training_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin a training job."""
    check(world, request)
    return {"TrainingJobArn": begin(world, request).arn}


def check(world: Backend, request: dict[str, Any]) -> None:
    """Raise `ServiceError` for a job that the service would not take; the name is not looked at."""
    _check_algorithm(world, request)
    config = _resource_config(request)
    _check_spot(request)
    require_assumable(world, request["RoleArn"])
    training_channels.require(world, request)
    job_states.require_instances(world, KIND, STATUS, config, _quota(request))


def begin(world: Backend, request: dict[str, Any], private: dict[str, Any] | None = None, **more: Any) -> Resource:
    """Begin a job that was checked; `more` is told about it too. Raises `ServiceError` when its name is taken.

    `private["heard"]` is called after every round with the rounds so far and the figures: `{"train:error": 0.1, ...}`.
    """
    facts = {name: value for name, value in request.items() if name != "Tags"} | {
        "HyperParameters": request.get("HyperParameters", {}),
        "StoppingCondition": {"MaxRuntimeInSeconds": DAY_SECONDS, **request.get("StoppingCondition", {})},
        "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
        "CreationTime": world.now(),
        "LastModifiedTime": world.now(),
        STATUS: "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [],
        **more,
    }
    job = world.add(KIND, request["TrainingJobName"], facts, request.get("Tags"))
    facts["TrainingJobArn"] = job.arn
    config = request["ResourceConfig"]
    job_states.prepare(job, world.fault_injector.background("CreateTrainingJob"))
    quota = f"{config['InstanceType']} for {_quota(request)}"
    job.private.update({"instances": config["InstanceCount"], "quota": quota}, **(private or {}))
    world.background(lambda: training_run.run(world, job), lambda reason: training_run.fail(world, job, reason))
    return job


def describe_training_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a job."""
    return deepcopy(_find(world, request).facts)


def list_training_jobs(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List jobs."""
    return page(world.all_of(KIND), request, "TrainingJobSummaries", _summary, STATUS)


def stop_training_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Ask a job to stop; it does after the round under way."""
    job = _find(world, request)
    job_states.stop(world, job, STATUS)
    training_run.pass_to(world, job, "Stopping")
    return {}


def delete_training_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a job that has ended."""
    job = _find(world, request)
    if job.facts[STATUS] in ("InProgress", "Stopping"):
        raise ServiceError("ResourceInUse", f"Training job {job.arn} is in status {job.facts[STATUS]}: stop it first.")
    world.remove(job)
    return {}


def _find(world: Backend, request: dict[str, Any]) -> Resource:
    """Return a job; an absent one is no ResourceNotFound, as the model has it: this is what the service answers."""
    job = world.resources.get((KIND, request["TrainingJobName"]))
    if not job:
        raise ServiceError("ValidationException", "Requested resource not found.")
    return job


def _summary(job: Resource) -> dict[str, Any]:
    return {name: job.facts[name] for name in (*_SUMMARY, "SecondaryStatus") if name in job.facts}


def _check_algorithm(world: Backend, request: dict[str, Any]) -> None:
    """Raise `ServiceError` unless the job is one of the image, as it is."""
    algorithm = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise ServiceError("ValidationException", "The simulator trains with the XGBoost image alone: TrainingImage.")
    require_image(world, algorithm["TrainingImage"])
    if algorithm.get("MetricDefinitions"):
        raise ServiceError(
            "ValidationException",
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions.",
        )
    for name in _UNSIMULATED:
        if request.get(name):
            raise ServiceError("ValidationException", f"The simulator does not know {name}.")


def _resource_config(request: dict[str, Any]) -> dict[str, Any]:
    """Return the instances wanted; raises `ServiceError` when there are none."""
    config: dict[str, Any] = request.get("ResourceConfig", {})
    missing = [name for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB") if name not in config]
    if missing:
        raise ServiceError("ValidationException", f"ResourceConfig must have {', '.join(missing)}.")
    return config


def _check_spot(request: dict[str, Any]) -> None:
    """Raise `ServiceError` when how long a job may take and how long it may wait do not go together."""
    stopping = request.get("StoppingCondition", {})
    longest, wait = stopping.get("MaxRuntimeInSeconds", DAY_SECONDS), stopping.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise ServiceError(
                "ValidationException",
                "MaxWaitTimeInSeconds is only supported when EnableManagedSpotTraining is set to true.",
            )
    elif wait is None or wait < longest:
        raise ServiceError(
            "ValidationException",
            f"Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds "
            f"({longest}) when EnableManagedSpotTraining is set to true.",
        )


def _quota(request: dict[str, Any]) -> str:
    return f"{'spot ' if request.get('EnableManagedSpotTraining') else ''}training job usage"


OPERATIONS: dict[str, Operation] = {
    "CreateTrainingJob": create_training_job,
    "DescribeTrainingJob": describe_training_job,
    "ListTrainingJobs": list_training_jobs,
    "StopTrainingJob": stop_training_job,
    "DeleteTrainingJob": delete_training_job,
}
