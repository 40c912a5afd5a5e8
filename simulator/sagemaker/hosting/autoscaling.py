"""Application Auto Scaling, which moto keeps: what an endpoint may not do while its variants are scaled by it."""

from typing import Any

from simulator.sagemaker.backend import Backend, ServiceError
from simulator.sagemaker.hosting.fleets import Fleet


def require_free(world: Backend, endpoint: str, old: Fleet, new: Fleet) -> None:
    """Raise `ServiceError` when an update removes a variant that is scaled, or gives it other machines."""
    scaled = {target["ResourceId"] for target in _targets(world, endpoint, old)}
    for variant in old.variants:
        after = new.named(variant.name)
        if _resource(endpoint, variant.name) in scaled and (
            after is None or after.instance_type != variant.instance_type
        ):
            raise ServiceError(
                "ValidationException",
                f'The variant(s) "[{variant.name}]" must be deregistered as scalable target(s) with AWS Auto Scaling '
                "before they can be removed or get another instance type.",
            )


def deregister(world: Backend, endpoint: str, fleet: Fleet) -> None:
    """Let nothing scale the variants of an endpoint any more, as AWS does when it deletes one."""
    client = world.client("application-autoscaling")
    for target in _targets(world, endpoint, fleet):
        named = {name: target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        client.deregister_scalable_target(**named)


def _targets(world: Backend, endpoint: str, fleet: Fleet) -> list[dict[str, Any]]:
    """Return the scalable targets that variants of an endpoint are."""
    ids = [_resource(endpoint, variant.name) for variant in fleet.variants]
    answer = world.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=ids
    )
    targets: list[dict[str, Any]] = answer["ScalableTargets"]
    return targets


def _resource(endpoint: str, variant: str) -> str:
    return f"endpoint/{endpoint}/variant/{variant}"
