"""Endpoint configurations: production variants with their models, instances and weights."""

import re
from typing import Any

from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind
from simulator.sagemaker.hosting.endpoint_lifecycle import ENDPOINT
from simulator.sagemaker.hosting.models import MODEL
from simulator.sagemaker.resource_operations import resource_operations
from simulator.sagemaker.service import Operation

ENDPOINT_CONFIG = ResourceKind(
    "EndpointConfig",
    "endpoint-config",
    missing_message='Could not find endpoint configuration "{arn}".',
    duplicate_message='Cannot create already existing endpoint configuration "{arn}".',
)
_UNSUPPORTED = ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")
_HOSTING_INSTANCE_TYPE = re.compile(r"ml\.(?!t3\.)[a-z0-9-]+\.[a-z0-9]+")
_MEMORY_STEP_MB = 1024


def create_endpoint_config(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Create a configuration; raises `ServiceError` for invalid variants."""
    unsupported = [member for member in _UNSUPPORTED if member in request]
    if unsupported:
        raise InvalidRequestError(f"The simulator does not support {' or '.join(unsupported)}.")
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
    if len({variant["VariantName"] for variant in variants}) < len(variants):
        raise InvalidRequestError("Production variant names must be unique within an endpoint.")
    if len(variants) > 1 and any("ServerlessConfig" in variant for variant in variants):
        raise InvalidRequestError("A serverless endpoint must have exactly one production variant, not several.")
    for variant in variants:
        _check_variant(backend, variant)
    config = backend.create(ENDPOINT_CONFIG, request, ProductionVariants=variants)
    return {"EndpointConfigArn": config.arn}


def delete_endpoint_config(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a configuration; raises `ServiceError` while an endpoint changes from it or to it."""
    config = backend.find(ENDPOINT_CONFIG, request["EndpointConfigName"])
    for endpoint in backend.all_of(ENDPOINT):
        used = (endpoint.facts["EndpointConfigName"], endpoint.private.get("next_config"))
        if config.name in used and endpoint.status in ("Creating", "Updating", "RollingBack"):
            raise InvalidRequestError(
                f'Cannot delete endpoint configuration "{config.arn}" while it is used by in-progress endpoint '
                f'"{endpoint.arn}".',
            )
    backend.remove(config)
    return {}


def _check_variant(backend: Backend, variant: dict[str, Any]) -> None:
    """Raise `ServiceError` unless a variant's model exists and its instances or serverless settings are valid."""
    name, serverless = variant["VariantName"], variant.get("ServerlessConfig")
    if "ModelName" not in variant:
        raise InvalidRequestError(f"Production variant {name} must have a ModelName.")
    model = backend.find(MODEL, variant["ModelName"])
    if serverless and model.facts["EnableNetworkIsolation"]:
        raise InvalidRequestError("Serverless endpoints do not support models with network isolation.")
    instance_type, count = variant.get("InstanceType"), variant.get("InitialInstanceCount")
    has_instances = instance_type is not None or count is not None
    if has_instances == (serverless is not None):
        raise InvalidRequestError(
            f"Production variant {name} must have either InstanceType and InitialInstanceCount or a ServerlessConfig."
        )
    if serverless:
        if serverless["MemorySizeInMB"] % _MEMORY_STEP_MB:
            raise InvalidRequestError("MemorySizeInMB must be one of 1024, 2048, 3072, 4096, 5120, 6144.")
    elif not instance_type or not count:
        raise InvalidRequestError(f"Production variant {name} must have both InstanceType and InitialInstanceCount.")
    elif not _HOSTING_INSTANCE_TYPE.fullmatch(instance_type):
        raise InvalidRequestError(f"Instance type {instance_type} is not supported for hosting.")


OPERATIONS: dict[str, Operation] = {
    **resource_operations(ENDPOINT_CONFIG),
    "CreateEndpointConfig": create_endpoint_config,
    "DeleteEndpointConfig": delete_endpoint_config,
}
