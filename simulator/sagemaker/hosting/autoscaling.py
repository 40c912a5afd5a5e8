"""Application Auto Scaling (simulated by moto): the scalable targets of an endpoint's variants."""

from typing import Any

from simulator.sagemaker.backend import Backend, InvalidRequestError
from simulator.sagemaker.hosting.fleets import Fleet


def require_unscaled(backend: Backend, endpoint: str, old: Fleet, new: Fleet) -> None:
    """Raise `ServiceError` if an update removes a scaled variant or changes its instance type."""
    scaled = {target["ResourceId"] for target in _targets(backend, endpoint, old)}
    for variant in old.variants:
        after = new.find(variant.name)
        unchanged = after and after.instance_type == variant.instance_type
        if _resource_id(endpoint, variant.name) in scaled and not unchanged:
            raise InvalidRequestError(
                f'The variant(s) "[{variant.name}]" must be deregistered as scalable target(s) with AWS Auto Scaling '
                "before they can be removed or get another instance type.",
            )


def deregister(backend: Backend, endpoint: str, fleet: Fleet) -> None:
    """Deregister an endpoint's scalable targets, as AWS does when it deletes the endpoint."""
    for target in _targets(backend, endpoint, fleet):
        backend.client("application-autoscaling").deregister_scalable_target(
            **{member: target[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        )


def _targets(backend: Backend, endpoint: str, fleet: Fleet) -> list[dict[str, Any]]:
    """Return the scalable targets among an endpoint's variants."""
    ids = [_resource_id(endpoint, variant.name) for variant in fleet.variants]
    response = backend.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=ids
    )
    targets: list[dict[str, Any]] = response["ScalableTargets"]
    return targets


def _resource_id(endpoint: str, variant: str) -> str:
    return f"endpoint/{endpoint}/variant/{variant}"
