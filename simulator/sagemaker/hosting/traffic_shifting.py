"""Traffic shifting between fleets: a deployment configuration -> steps with a share of the traffic and a wait.

Blue/green as AWS describes it: all at once, a canary and then the rest, or linear steps; and rolling, whose batches are
linear steps too. The wait after each step is the baking period; the last step's includes the termination wait.
"""

import math
from dataclasses import dataclass
from typing import Any

from simulator.sagemaker.backend import InvalidRequestError

SECONDS_PER_PACE = 300.0  # AWS wait time that one pace simulates
MAX_CANARY = MAX_STEP = 0.5
MIN_STEP = 0.1


@dataclass(frozen=True)
class Step:
    """The new fleet's share of the traffic, and for how many paces it is kept."""

    share: float
    paces: float


def steps(config: dict[str, Any], instances: int, is_serverless: bool) -> list[Step]:
    """Return the steps of a `DeploymentConfig`, the last one with share 1; raises `ServiceError`."""
    rolling = config.get("RollingUpdatePolicy")
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    if rolling and policy:
        raise InvalidRequestError("BlueGreenUpdatePolicy and RollingUpdatePolicy must not both be given.")
    if is_serverless and (rolling or routing["Type"] != "ALL_AT_ONCE"):
        raise InvalidRequestError("A serverless endpoint supports only the traffic routing ALL_AT_ONCE.")
    if rolling:
        size = _fraction(rolling["MaximumBatchSize"], instances, MIN_STEP / 2, MAX_STEP, "MaximumBatchSize")
        return _linear(size, rolling["WaitIntervalInSeconds"], 0)
    return _blue_green(routing, instances, policy.get("TerminationWaitInSeconds", 0))


def require_same_variants(config: dict[str, Any], old: set[str], new: set[str]) -> None:
    """Raise `ServiceError` if a deployment with guardrails adds or removes variants."""
    if config and old != new:
        raise InvalidRequestError(
            f"A DeploymentConfig needs the same variants before ({sorted(old)}) and after ({sorted(new)})."
        )


def alarm_names(config: dict[str, Any]) -> list[str]:
    """Return the names of the alarms that roll back a deployment."""
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return [alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm]


def _blue_green(routing: dict[str, Any], instances: int, termination_wait_seconds: int) -> list[Step]:
    wait = routing["WaitIntervalInSeconds"]
    last = Step(1.0, (wait + termination_wait_seconds) / SECONDS_PER_PACE)
    if routing["Type"] == "ALL_AT_ONCE":
        return [last]
    member = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}[routing["Type"]]
    if member not in routing:
        raise InvalidRequestError(f"TrafficRoutingConfiguration of type {routing['Type']} must have a {member}.")
    if routing["Type"] == "LINEAR":
        size = _fraction(routing[member], instances, MIN_STEP, MAX_STEP, member)
        return _linear(size, wait, termination_wait_seconds)
    share = _fraction(routing[member], instances, 0.0, MAX_CANARY, member)
    return [Step(share, wait / SECONDS_PER_PACE), last]


def _linear(size: float, wait_seconds: int, termination_wait_seconds: int) -> list[Step]:
    count = math.ceil(1 / size - 1e-9)
    waits = [wait_seconds] * (count - 1) + [wait_seconds + termination_wait_seconds]
    return [
        Step(1.0 if number == count else min(1.0, size * number), wait / SECONDS_PER_PACE)
        for number, wait in enumerate(waits, start=1)
    ]


def _fraction(size: dict[str, Any], instances: int, low: float, high: float, member: str) -> float:
    """Return a capacity size as a fraction of the fleet; raises `ServiceError` outside the range AWS accepts."""
    fraction: float = size["Value"] / (100 if size["Type"] == "CAPACITY_PERCENT" else max(1, instances))
    if not low <= fraction <= high:
        raise InvalidRequestError(f"{member} must be between {low:.0%} and {high:.0%} of the fleet's capacity.")
    return fraction
