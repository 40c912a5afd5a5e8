"""Batch transform job API operations.

Not supported, and refused: filters and joins of `DataProcessing`, data capture, records other than lines, and payloads
without a limit.
"""

from typing import Any

from simulator.sagemaker.backend import Backend, InvalidRequestError
from simulator.sagemaker.hosting.models import MODEL
from simulator.sagemaker.jobs import job_lifecycle, transform_run
from simulator.sagemaker.jobs.transform_run import PAYLOAD_MB, TRANSFORM_JOB
from simulator.sagemaker.resource_operations import resource_operations
from simulator.sagemaker.service import Operation

_MAX_PAYLOAD_MB = 100  # of all concurrent payloads together, as the service documents it
_NO_PROCESSING: tuple[dict[str, str], ...] = (
    {},
    {"JoinSource": "None"},
    {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
)


def create_transform_job(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Start a transform job."""
    _check(request)
    backend.find(MODEL, request["ModelName"])
    resources = request["TransformResources"]
    instances = {
        "quota": f"{resources['InstanceType']} for transform job usage",
        "instances": resources["InstanceCount"],
    }
    job_lifecycle.require_instances(backend, TRANSFORM_JOB, instances["quota"], instances["instances"])
    job = job_lifecycle.start(backend, TRANSFORM_JOB, request, transform_run.run, job_lifecycle.fail, instances)
    return {"TransformJobArn": job.arn}


def _check(request: dict[str, Any]) -> None:
    """Raise `ServiceError` for settings that the service or the simulator does not support."""
    if request.get("DataProcessing", {}) not in _NO_PROCESSING or request.get("DataCaptureConfig"):
        raise InvalidRequestError("The simulator does not support DataProcessing and DataCaptureConfig.")
    split = request["TransformInput"].get("SplitType", "None")
    if split not in ("None", "Line"):
        raise InvalidRequestError(f"The simulator does not support the SplitType {split}.")
    if split == "None" and request.get("BatchStrategy") == "MultiRecord":
        raise InvalidRequestError("SplitType must be set to use the BatchStrategy MultiRecord.")
    if request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise InvalidRequestError("The simulator reads inputs only from S3 prefixes and manifests.")
    payload_mb = request.get("MaxPayloadInMB", PAYLOAD_MB) * max(request.get("MaxConcurrentTransforms", 1), 1)
    if not 0 < payload_mb <= _MAX_PAYLOAD_MB:
        raise InvalidRequestError(f"MaxPayloadInMB times MaxConcurrentTransforms must be from 1 to {_MAX_PAYLOAD_MB}.")


OPERATIONS: dict[str, Operation] = {
    **resource_operations(TRANSFORM_JOB),
    **job_lifecycle.stop_operation(TRANSFORM_JOB),
    "CreateTransformJob": create_transform_job,
}
del OPERATIONS["DeleteTransformJob"]  # not part of the SageMaker API
