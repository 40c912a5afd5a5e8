"""How traffic moves from one fleet to the next: a deployment configuration -> steps of shares and waits.

Blue/green as AWS describes it: all at once, a canary and then the rest, or equal steps; and rolling, whose batches are
equal steps too. Each step is followed by a wait (baking), the last one also by the wait before the old fleet goes.
"""

import math
from dataclasses import dataclass
from typing import Any

from simulator.sagemaker.backend import ServiceError

SECONDS_A_PACE = 300.0  # of waiting on AWS, for one pace here
LARGEST_CANARY = LARGEST_STEP = 0.5
SMALLEST_STEP = 0.1


@dataclass(frozen=True)
class Step:
    """The new fleet's share of the traffic from now on, and how long it stays so, in paces."""

    share: float
    paces: float


def steps(config: dict[str, Any], instances: int, is_serverless: bool) -> list[Step]:
    """Return the steps that a `DeploymentConfig` asks for, the last one of share 1; raises `ServiceError`."""
    rolling = config.get("RollingUpdatePolicy")
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    if rolling and policy:
        raise _refused("BlueGreenUpdatePolicy and RollingUpdatePolicy must not both be given.")
    if is_serverless and (rolling or routing["Type"] != "ALL_AT_ONCE"):
        raise _refused("A serverless endpoint is updated all at once: it takes no other traffic routing.")
    if rolling:
        size = _part(rolling["MaximumBatchSize"], instances, SMALLEST_STEP / 2, LARGEST_STEP, "MaximumBatchSize")
        return _equal(size, rolling["WaitIntervalInSeconds"], 0)
    return _blue_green(routing, instances, policy.get("TerminationWaitInSeconds", 0))


def require_same_variants(config: dict[str, Any], old: set[str], new: set[str]) -> None:
    """Raise `ServiceError` for a guarded update between fleets of other variants, which AWS's guardrails exclude."""
    if config and old != new:
        raise _refused(f"A DeploymentConfig needs the same variants before ({sorted(old)}) and after ({sorted(new)}).")


def alarm_names(config: dict[str, Any]) -> list[str]:
    """Return the names of the alarms that roll a deployment back."""
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return [alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm]


def _blue_green(routing: dict[str, Any], instances: int, at_the_end_seconds: int) -> list[Step]:
    wait = routing["WaitIntervalInSeconds"]
    last = Step(1.0, (wait + at_the_end_seconds) / SECONDS_A_PACE)
    if routing["Type"] == "ALL_AT_ONCE":
        return [last]
    member = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}[routing["Type"]]
    if member not in routing:
        raise _refused(f"TrafficRoutingConfiguration of type {routing['Type']} must have a {member}.")
    if routing["Type"] == "LINEAR":
        size = _part(routing[member], instances, SMALLEST_STEP, LARGEST_STEP, member)
        return _equal(size, wait, at_the_end_seconds)
    share = _part(routing[member], instances, 0.0, LARGEST_CANARY, member)
    return [Step(share, wait / SECONDS_A_PACE), last]


def _equal(size: float, wait_seconds: int, at_the_end_seconds: int) -> list[Step]:
    count = math.ceil(1 / size - 1e-9)
    shares = [min(1.0, size * (number + 1)) for number in range(count - 1)] + [1.0]
    waits = [wait_seconds] * (count - 1) + [wait_seconds + at_the_end_seconds]
    return [Step(share, wait / SECONDS_A_PACE) for share, wait in zip(shares, waits, strict=True)]


def _part(size: dict[str, Any], instances: int, least: float, most: float, member: str) -> float:
    """Return the part of a fleet that a capacity size means; raises `ServiceError` outside what AWS takes."""
    part: float = size["Value"] / (100 if size["Type"] == "CAPACITY_PERCENT" else max(1, instances))
    if not least <= part <= most:
        raise _refused(f"{member} must be between {least:.0%} and {most:.0%} of the fleet's capacity.")
    return part


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
