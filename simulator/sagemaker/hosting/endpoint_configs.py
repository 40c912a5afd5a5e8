"""Endpoint configurations: which models, on what and how many, with which weights."""

import re
from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.hosting import models
from simulator.sagemaker.listing import page
from simulator.sagemaker.service import Operation

KIND = "endpoint-config"
UNSIMULATED = ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")
_HOSTING_TYPE = re.compile(r"ml\.(?!t3\.)[a-z0-9-]+\.[a-z0-9]+")
_MEMORY_STEP_MB = 1024


def create_endpoint_config(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Take a configuration in; raises `ServiceError` for variants that could not be served."""
    refused = [member for member in UNSIMULATED if member in request]
    if refused:
        raise ServiceError("ValidationException", f"The simulator does not know {' or '.join(refused)}.")
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
    _check_together(variants)
    for variant in variants:
        _check(world, variant)
    facts = {name: value for name, value in request.items() if name != "Tags"} | {
        "ProductionVariants": variants,
        "CreationTime": world.now(),
    }
    if (KIND, request["EndpointConfigName"]) in world.resources:
        arn = world.arn(KIND, request["EndpointConfigName"])
        raise ServiceError("ValidationException", f'Cannot create already existing endpoint configuration "{arn}".')
    config = world.add(KIND, request["EndpointConfigName"], facts, request.get("Tags"))
    facts["EndpointConfigArn"] = config.arn
    return {"EndpointConfigArn": config.arn}


def describe_endpoint_config(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a configuration."""
    return find_config(world, request["EndpointConfigName"]).facts


def list_endpoint_configs(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List configurations."""
    return page(world.all_of(KIND), request, "EndpointConfigs", _summary)


def delete_endpoint_config(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a configuration, unless an endpoint is on its way to or from it."""
    config = find_config(world, request["EndpointConfigName"])
    for endpoint in world.all_of("endpoint"):
        names = (endpoint.facts["EndpointConfigName"], endpoint.private.get("next_config"))
        if config.name in names and endpoint.facts["EndpointStatus"] in ("Creating", "Updating", "RollingBack"):
            raise ServiceError(
                "ValidationException",
                f'Cannot delete endpoint configuration "{config.arn}" while it is used by in-progress endpoint '
                f'"{endpoint.arn}".',
            )
    world.remove(config)
    return {}


def find_config(world: Backend, name: str) -> Resource:
    """Return a configuration; raises `ServiceError` when it is absent."""
    found = world.resources.get((KIND, name))
    if not found:
        raise ServiceError("ValidationException", f'Could not find endpoint configuration "{world.arn(KIND, name)}".')
    return found


def _check_together(variants: list[dict[str, Any]]) -> None:
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise ServiceError("ValidationException", "Production variant names must be unique within an endpoint.")
    if len(variants) > 1 and any("ServerlessConfig" in variant for variant in variants):
        raise ServiceError(
            "ValidationException", "A serverless endpoint must have exactly one production variant, not several."
        )


def _check(world: Backend, variant: dict[str, Any]) -> None:
    """Raise `ServiceError` unless a variant's model exists, and what shall run it can."""
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise ServiceError("ValidationException", f"Production variant {name} must have a ModelName.")
    model = world.find(models.KIND, variant["ModelName"])
    if "ServerlessConfig" in variant and model.facts.get("EnableNetworkIsolation"):
        raise ServiceError("ValidationException", "Serverless endpoints do not support models with network isolation.")
    has_instances = "InstanceType" in variant or "InitialInstanceCount" in variant
    if has_instances == ("ServerlessConfig" in variant):
        raise ServiceError(
            "ValidationException",
            f"Production variant {name} must have either InstanceType and InitialInstanceCount or a ServerlessConfig.",
        )
    if has_instances:
        _check_instances(variant)
    elif variant["ServerlessConfig"]["MemorySizeInMB"] % _MEMORY_STEP_MB:
        raise ServiceError("ValidationException", "MemorySizeInMB must be one of 1024, 2048, 3072, 4096, 5120, 6144.")


def _check_instances(variant: dict[str, Any]) -> None:
    kind, count = variant.get("InstanceType"), variant.get("InitialInstanceCount")
    if not kind or not count:
        raise ServiceError(
            "ValidationException",
            f"Production variant {variant['VariantName']} must have both InstanceType and InitialInstanceCount.",
        )
    if not _HOSTING_TYPE.fullmatch(kind):
        raise ServiceError("ValidationException", f"Instance type {kind} is not supported for hosting.")


def _summary(config: Resource) -> dict[str, Any]:
    return {name: config.facts[name] for name in ("EndpointConfigName", "EndpointConfigArn", "CreationTime")}


OPERATIONS: dict[str, Operation] = {
    "CreateEndpointConfig": create_endpoint_config,
    "DescribeEndpointConfig": describe_endpoint_config,
    "ListEndpointConfigs": list_endpoint_configs,
    "DeleteEndpointConfig": delete_endpoint_config,
}
