"""Models: an image, an archive and a role, validated as the service does."""

from typing import Any

from simulator.sagemaker import storage
from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind
from simulator.sagemaker.model_packages import PACKAGE
from simulator.sagemaker.resource_operations import resource_operations
from simulator.sagemaker.roles import require_assumable
from simulator.sagemaker.service import Operation
from training.model.container_image import ImageError, image_uri

MODEL = ResourceKind(
    "Model",
    "model",
    missing_message='Could not find model "{arn}".',
    duplicate_message='Cannot create already existing model "{arn}".',
)
IMAGE_TAGS = ("3.0-5", "3.2-0")  # versions of the image that the simulator runs
_UNSUPPORTED = {"ModelDataSource", "AdditionalModelDataSources", "MultiModelConfig", "ImageConfig"}


def create_model(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Create a model with one container; raises `ServiceError` if its image, archive or role does not exist."""
    container = _container(backend, request)
    require_image(backend, container["Image"])
    _require_archive(backend, container.get("ModelDataUrl", ""))
    require_assumable(backend, request.get("ExecutionRoleArn", ""))
    defaults = {"EnableNetworkIsolation": False}
    model = backend.create(MODEL, defaults | request, PrimaryContainer={"Mode": "SingleModel", **container})
    return {"ModelArn": model.arn}


def require_image(backend: Backend, image: str) -> None:
    """Raise `ServiceError` unless this is the XGBoost image of the backend's region."""
    if ".dkr.ecr." not in image:
        raise InvalidRequestError(f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.')
    try:
        known = [image_uri(backend.region, tag) for tag in IMAGE_TAGS]
    except ImageError as error:
        raise InvalidRequestError(error.detail) from error
    if image not in known:
        raise InvalidRequestError(f"Requested image {image} not found.")


def _require_archive(backend: Backend, url: str) -> None:
    """Raise `ServiceError` unless the URL names an existing .tar.gz object."""
    if not url.startswith("s3://") or not url.endswith(".tar.gz"):
        raise InvalidRequestError(
            f'Invalid ModelDataUrl "{url}". It must be an s3:// url of a single gzip-compressed tar archive (.tar.gz).'
        )
    if not storage.exists(backend.client("s3"), url):
        raise InvalidRequestError(f"Could not find model data at {url}.")


def _container(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Return the request's only container, completed from its model package."""
    container: dict[str, Any] = request.get("PrimaryContainer") or {}
    if "Containers" in request or container.get("Mode") == "MultiModel" or _UNSUPPORTED & set(container):
        raise InvalidRequestError("The simulator supports only one container with a ModelDataUrl.")
    if "SAGEMAKER_INFERENCE_OUTPUT" in container.get("Environment", {}):
        raise InvalidRequestError("The simulator does not support SAGEMAKER_INFERENCE_OUTPUT.")
    if "ModelPackageName" in container:
        package = backend.find(PACKAGE, container["ModelPackageName"])
        packaged = package.facts["InferenceSpecification"]["Containers"][0]
        members = ("Image", "ModelDataUrl", "Environment")
        container = {member: packaged[member] for member in members if member in packaged} | container
    if "Image" not in container:
        raise InvalidRequestError("Container must have an image or a model package.")
    return container


OPERATIONS: dict[str, Operation] = {**resource_operations(MODEL), "CreateModel": create_model}
