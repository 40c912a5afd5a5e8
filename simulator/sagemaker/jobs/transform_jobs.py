"""Batch transform jobs: what a request must be, and what is told about a job.

Not simulated, and refused: filters and joins of `DataProcessing`, data capture, records other than lines, and payloads
without a limit.
"""

from copy import deepcopy
from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.hosting import models
from simulator.sagemaker.jobs import job_states, transform_run
from simulator.sagemaker.jobs.transform_run import KIND, STATUS
from simulator.sagemaker.listing import page
from simulator.sagemaker.service import Operation

_LARGEST_PAYLOAD_MB = 100  # of all concurrent payloads together, as the service documents it
_NO_PROCESSING: tuple[dict[str, str], ...] = (
    {},
    {"JoinSource": "None"},
    {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
)
_QUOTA = "transform job usage"
_SUMMARY = (
    *("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime", "LastModifiedTime", STATUS),
    "FailureReason",
)


def create_transform_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Begin a transform job."""
    _check(request)
    world.find(models.KIND, request["ModelName"])
    resources = request["TransformResources"]
    job_states.require_instances(world, KIND, STATUS, resources, _QUOTA)
    facts = {name: value for name, value in request.items() if name != "Tags"} | {
        "CreationTime": world.now(),
        "LastModifiedTime": world.now(),
        STATUS: "InProgress",
    }
    job = world.add(KIND, request["TransformJobName"], facts, request.get("Tags"))
    facts["TransformJobArn"] = job.arn
    job_states.prepare(job, world.fault_injector.background("CreateTransformJob"))
    job.private.update(instances=resources["InstanceCount"], quota=f"{resources['InstanceType']} for {_QUOTA}")
    world.background(lambda: transform_run.run(world, job), lambda reason: transform_run.fail(world, job, reason))
    return {"TransformJobArn": job.arn}


def _check(request: dict[str, Any]) -> None:
    """Raise `ServiceError` for what the service or the simulator does not do."""
    if request.get("DataProcessing", {}) not in _NO_PROCESSING or request.get("DataCaptureConfig"):
        raise _refusal("The simulator knows no DataProcessing and no DataCaptureConfig.")
    split = request["TransformInput"].get("SplitType", "None")
    if split not in ("None", "Line"):
        raise _refusal(f"The simulator does not split by {split}.")
    if split == "None" and request.get("BatchStrategy") == "MultiRecord":
        raise _refusal("SplitType must be set to use the BatchStrategy MultiRecord.")
    if request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise _refusal("The simulator reads inputs from S3 prefixes and manifests.")
    payload = request.get("MaxPayloadInMB", transform_run.PAYLOAD_MB)
    if not 0 < payload * max(request.get("MaxConcurrentTransforms", 1), 1) <= _LARGEST_PAYLOAD_MB:
        raise _refusal(f"MaxPayloadInMB times MaxConcurrentTransforms must be from 1 to {_LARGEST_PAYLOAD_MB}.")


def _refusal(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def describe_transform_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a job."""
    return deepcopy(world.find(KIND, request["TransformJobName"]).facts)


def list_transform_jobs(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List jobs."""
    return page(world.all_of(KIND), request, "TransformJobSummaries", _summary, STATUS)


def stop_transform_job(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Ask a job to stop; it does after the batch under way."""
    job_states.stop(world, world.find(KIND, request["TransformJobName"]), STATUS)
    return {}


def _summary(job: Resource) -> dict[str, Any]:
    return {name: job.facts[name] for name in _SUMMARY if name in job.facts}


OPERATIONS: dict[str, Operation] = {
    "CreateTransformJob": create_transform_job,
    "DescribeTransformJob": describe_transform_job,
    "ListTransformJobs": list_transform_jobs,
    "StopTransformJob": stop_transform_job,
}
