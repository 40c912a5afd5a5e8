"""Quotas of hosting in a region: instances of a type, serverless endpoints and the concurrency they share."""

from collections import Counter
from collections.abc import Iterable

from simulator.sagemaker.backend import Backend, ServiceError
from simulator.sagemaker.hosting.fleets import Fleet

CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
ENDPOINTS = "Maximum number of serverless endpoints"
_UNITS = {CONCURRENCY: "", ENDPOINTS: ""}


def of_instances(instance_type: str) -> str:
    """Return the name of an instance type's quota."""
    return f"{instance_type} for endpoint usage"


def require(world: Backend, wanted: dict[str, int], used: dict[str, int]) -> None:
    """Raise `ServiceError` when more of something is wanted, by quota name, than is left of it."""
    for name, delta in wanted.items():
        limit, current = world.limit(name), used.get(name, 0)
        if delta > 0 and current + delta > limit:
            unit = _UNITS.get(name, " Instances")
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{name}' is {limit:g}{unit}, with current utilization of "
                f"{current}{unit} and a request delta of {delta}{unit}. Please use AWS Service Quotas to request an "
                "increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an "
                "increase for this quota.",
            )


def needs(fleet: Fleet) -> dict[str, int]:
    """Return what a fleet takes of each quota."""
    found: Counter[str] = Counter()
    for variant in fleet.variants:
        if variant.serverless:
            found[CONCURRENCY] += variant.concurrency
        else:
            found[of_instances(variant.instance_type)] += variant.desired_instances
    return found | ({ENDPOINTS: 1} if fleet.is_serverless else {})


def in_use(fleets: Iterable[Fleet]) -> dict[str, int]:
    """Return what fleets take of each quota, together."""
    found: Counter[str] = Counter()
    for fleet in fleets:
        found.update(needs(fleet))
    return found
