"""Models: an image, an archive and a role, validated as the service does."""

from typing import Any

from simulator.sagemaker import storage
from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind, SimulatedResource
from simulator.sagemaker.images import require_image
from simulator.sagemaker.model_packages import PACKAGE
from simulator.sagemaker.resource_operations import resource_operations
from simulator.sagemaker.roles import require_assumable
from simulator.sagemaker.service import Operation

MODEL = ResourceKind(
    "Model",
    "model",
    missing_message='Could not find model "{arn}".',
    duplicate_message='Cannot create already existing model "{arn}".',
)
_SCRIPT_MODE = {"SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"}
_UNSUPPORTED = {"ModelDataSource", "AdditionalModelDataSources", "MultiModelConfig", "ImageConfig"}


def create_model(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Create a model with one container; raises `ServiceError` if its image, archive or role does not exist."""
    container = _container(backend, request)
    require_image(backend, container["Image"])
    _require_archive(backend, container.get("ModelDataUrl", ""))
    require_assumable(backend, request.get("ExecutionRoleArn", ""))
    defaults = {"EnableNetworkIsolation": False}
    described = {"Mode": "SingleModel", **container}
    members = {"Containers": [described]} if "Containers" in request else {"PrimaryContainer": described}
    model = backend.create(MODEL, defaults | request, **members)
    model.private["container"] = described
    return {"ModelArn": model.arn}


def container_of(model: SimulatedResource) -> dict[str, Any]:
    """Return a model's only container."""
    container: dict[str, Any] = model.private["container"]
    return container


def _require_archive(backend: Backend, url: str) -> None:
    """Raise `ServiceError` unless the URL names an existing .tar.gz object."""
    if not url.startswith("s3://") or not url.endswith(".tar.gz"):
        raise InvalidRequestError(
            f'Invalid ModelDataUrl "{url}". It must be an s3:// url of a single gzip-compressed tar archive (.tar.gz).'
        )
    if not storage.exists(backend.client("s3"), url):
        raise InvalidRequestError(f"Could not find model data at {url}.")


def _with_url(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container with a ModelDataUrl for a source of one compressed object, which the SageMaker SDK sends."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("S3DataType") != "S3Object" or source.get("CompressionType") != "Gzip":
        return container
    rest = {name: value for name, value in container.items() if name != "ModelDataSource"}
    return {**rest, "ModelDataUrl": source["S3Uri"]}


def _container(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Return the request's only container, completed from its model package."""
    containers = request.get("Containers") or [request.get("PrimaryContainer") or {}]
    if "Containers" in request and "PrimaryContainer" in request:
        raise InvalidRequestError("A model must have either PrimaryContainer or Containers, not both.")
    container = _with_url(containers[0])
    if len(containers) > 1 or container.get("Mode") == "MultiModel" or _UNSUPPORTED & set(container):
        raise InvalidRequestError("The simulator supports only one container with a ModelDataUrl.")
    if "SAGEMAKER_INFERENCE_OUTPUT" in container.get("Environment", {}):
        raise InvalidRequestError("The simulator does not support SAGEMAKER_INFERENCE_OUTPUT.")
    if _SCRIPT_MODE & container.get("Environment", {}).keys():
        raise InvalidRequestError(
            "The simulator serves models of the built-in algorithm, not with your own script: remove "
            f"{' and '.join(sorted(_SCRIPT_MODE))} from the container's Environment."
        )
    if "ModelPackageName" in container:
        package = backend.find(PACKAGE, container["ModelPackageName"])
        packaged = package.facts["InferenceSpecification"]["Containers"][0]
        members = ("Image", "ModelDataUrl", "Environment")
        container = {member: packaged[member] for member in members if member in packaged} | container
    if "Image" not in container:
        raise InvalidRequestError("Container must have an image or a model package.")
    return container


OPERATIONS: dict[str, Operation] = {**resource_operations(MODEL), "CreateModel": create_model}
