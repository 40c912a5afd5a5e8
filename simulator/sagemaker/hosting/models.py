"""Models: an image, an archive and a role, checked as the service checks them."""

from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.hosting import archives
from simulator.sagemaker.listing import page
from simulator.sagemaker.roles import require_assumable
from simulator.sagemaker.service import Operation
from training.model.container_image import ImageError, image_uri

KIND = "model"
TAGS = ("3.0-5", "3.2-0")  # of the image, that this simulator answers as
UNSIMULATED = ("ModelDataSource", "AdditionalModelDataSources", "MultiModelConfig", "ImageConfig")


def create_model(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Take a model in, of one container; raises `ServiceError` when its image, archive or role is not there."""
    container = _container(world, request)
    require_image(world, container["Image"])
    require_archive(world, container.get("ModelDataUrl", ""))
    require_assumable(world, request.get("ExecutionRoleArn", ""))
    facts = {name: value for name, value in request.items() if name != "Tags"} | {
        "PrimaryContainer": {"Mode": "SingleModel", **container},
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "CreationTime": world.now(),
    }
    model = world.add(KIND, request["ModelName"], facts, request.get("Tags"))
    facts["ModelArn"] = model.arn
    return {"ModelArn": model.arn}


def describe_model(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a model."""
    return world.find(KIND, request["ModelName"]).facts


def list_models(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List models."""
    return page(world.all_of(KIND), request, "Models", _summary)


def delete_model(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a model; endpoints that serve it go on."""
    world.remove(world.find(KIND, request["ModelName"]))
    return {}


def require_image(world: Backend, image: str) -> None:
    """Raise `ServiceError` unless this is the XGBoost image of the world's region."""
    if ".dkr.ecr." not in image:
        raise ServiceError(
            "ValidationException",
            f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.',
        )
    try:
        known = [image_uri(world.region, tag) for tag in TAGS]
    except ImageError as error:
        raise ServiceError("ValidationException", error.detail) from error
    if image not in known:
        raise ServiceError("ValidationException", f"Requested image {image} not found.")


def require_archive(world: Backend, url: str) -> None:
    """Raise `ServiceError` unless there is an object at an s3 url that ends as an archive does."""
    if not url.startswith("s3://") or not url.endswith(".tar.gz"):
        raise ServiceError(
            "ValidationException",
            f'Invalid ModelDataUrl "{url}". It must be an s3:// url of a single gzip-compressed tar archive (.tar.gz).',
        )
    if not archives.exists(world.client("s3"), url):
        raise ServiceError("ValidationException", f"Could not find model data at {url}.")


def _container(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Return the request's one container, with what a model package adds to it."""
    container: dict[str, Any] = request.get("PrimaryContainer") or {}
    if "Containers" in request or container.get("Mode") == "MultiModel" or set(UNSIMULATED) & set(container):
        raise ServiceError("ValidationException", "The simulator serves one container with a ModelDataUrl, no more.")
    if "SAGEMAKER_INFERENCE_OUTPUT" in container.get("Environment", {}):
        raise ServiceError("ValidationException", "The simulator does not know SAGEMAKER_INFERENCE_OUTPUT.")
    if "ModelPackageName" in container:
        container = _of_package(world, container["ModelPackageName"]) | container
    if "Image" not in container:
        raise ServiceError("ValidationException", "Container must have an image or a model package.")
    return container


def _of_package(world: Backend, name: str) -> dict[str, Any]:
    """Return what a model package, by its ARN, says of its container."""
    package = world.find("model-package", name.partition("model-package/")[2])
    container = package.facts["InferenceSpecification"]["Containers"][0]
    return {member: container[member] for member in ("Image", "ModelDataUrl", "Environment") if member in container}


def _summary(model: Resource) -> dict[str, Any]:
    return {name: model.facts[name] for name in ("ModelName", "ModelArn", "CreationTime")}


OPERATIONS: dict[str, Operation] = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
    "DeleteModel": delete_model,
}
