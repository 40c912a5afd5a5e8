"""What becomes of an endpoint in the background: it comes up, its fleet is replaced with no gap, it goes away.

Whatever is under way ends at its next step once the endpoint is deleted.
"""

import threading
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.runtime import RuntimeEndpoint
from simulator.sagemaker.backend import Backend, Resource, StoppedError
from simulator.sagemaker.hosting import autoscaling, cloudwatch_metrics, startup
from simulator.sagemaker.hosting.cloudwatch_metrics import Meter
from simulator.sagemaker.hosting.fleets import Fleet
from simulator.sagemaker.hosting.models import KIND as MODEL
from simulator.sagemaker.hosting.shifting import Step, alarm_names

KIND = "endpoint"
SLOW_PACES = 5.0
LEAST_METER_SECONDS = 0.2
_LOOKS_A_WAIT = 10  # how often a wait looks whether it shall end


class Hosting:
    """What an endpoint runs: the fleet that serves, the one that is on its way, and the meter on both."""

    def __init__(self, world: Backend, name: str, pending: Fleet) -> None:
        self.current: Fleet | None = None
        self.pending: Fleet | None = pending
        self.meter = Meter(world, name)
        self.ended = threading.Event()
        self.runtime = RuntimeEndpoint(name, (), pause=self.ended.wait, told=self.meter.told)

    @property
    def serving(self) -> Fleet:
        """The fleet that serves, of an endpoint that is in service."""
        if not self.current:
            raise StoppedError
        return self.current


class _GivenUpError(Exception):
    """The new fleet does not come into service; the message is the endpoint's `FailureReason`."""


def hosting(endpoint: Resource) -> Hosting:
    """Return what an endpoint runs."""
    state: Hosting = endpoint.private["hosting"]
    return state


def create(world: Backend, endpoint: Resource, mishap: str) -> None:
    """Creating -> InService, or Failed."""
    if mishap == "stuck":
        return
    state = hosting(endpoint)
    try:
        _make_ready(world, endpoint, mishap)
    except (_GivenUpError, BotoCoreError, ClientError) as error:
        with world.lock:
            _require_alive(world, endpoint)
            state.pending = None
            _tell(world, endpoint, "Failed", str(error))
        return
    with world.lock:
        _require_alive(world, endpoint)
        _take_over(endpoint, {})
        world.endpoints[endpoint.name] = state.runtime
        _tell(world, endpoint, "InService")
    _meter(world, endpoint)


def update(world: Backend, endpoint: Resource, steps: Sequence[Step], deployment: dict[str, Any], mishap: str) -> None:
    """Updating -> InService with the new fleet; or with the old one, and the reason why."""
    if mishap == "stuck":
        return
    state = hosting(endpoint)
    old = state.serving
    try:
        _make_ready(world, endpoint, mishap)
        _shift(world, endpoint, steps, alarm_names(deployment))
    except (_GivenUpError, BotoCoreError, ClientError) as error:
        with world.lock:
            _require_alive(world, endpoint)
            state.runtime.variants = old.taking(1.0)
            state.runtime.largest_body_bytes = old.largest_body_bytes
            state.pending = None
            endpoint.private.pop("next_config", None)
            _tell(world, endpoint, "InService", str(error))
        return
    with world.lock:
        _require_alive(world, endpoint)
        _take_over(endpoint, deployment)
        _tell(world, endpoint, "InService")


def settle(world: Backend, endpoint: Resource) -> None:
    """Updating -> InService, with the weights and instance counts that were asked for."""
    _wait(world, endpoint, 0.5)
    state = hosting(endpoint)
    with world.lock:
        _require_alive(world, endpoint)
        for variant in state.serving.variants:
            variant.settle()
        state.runtime.variants = state.serving.taking(1.0)
        _tell(world, endpoint, "InService")


def delete(world: Backend, endpoint: Resource) -> None:
    """Deleting -> gone."""
    state = hosting(endpoint)
    state.ended.set()
    world.pass_time(0.5)
    state.meter.push()
    if state.current:
        autoscaling.deregister(world, endpoint.name, state.current)
    with world.lock:
        world.remove(endpoint)


def fail(world: Backend, endpoint: Resource, reason: str) -> None:
    """Let an endpoint fail, whatever it was doing; it answers no more, and can only be deleted."""
    with world.lock:
        world.endpoints.pop(endpoint.name, None)
        hosting(endpoint).pending = None
        _tell(world, endpoint, "Failed", reason)


def _make_ready(world: Backend, endpoint: Resource, mishap: str) -> None:
    """Start the containers of the fleet that is on its way; raises `_GivenUpError`."""
    _wait(world, endpoint, SLOW_PACES if mishap == "slow" else 1.0)
    if mishap == "capacity":
        raise _GivenUpError(startup.NO_CAPACITY)
    fleet = hosting(endpoint).pending
    s3, logs = world.client("s3"), world.client("logs")
    for variant in fleet.variants if fleet else ():
        place = startup.Place(endpoint.name, variant.name, s3, logs)
        if mishap == "fail":
            place.log_failure("Worker failed to boot.", world.now())
            raise _GivenUpError(startup.UNHEALTHY.format(variant=variant.name))
        try:
            variant.container = place.start(_archive(world, endpoint, variant.model), world.now())
        except startup.StartError as error:
            raise _GivenUpError(str(error)) from error
        variant.resolved_at = world.now()


def _archive(world: Backend, endpoint: Resource, model: str) -> str:
    """Return where a model's archive is; raises `_GivenUpError` when the model was deleted meanwhile."""
    with world.lock:
        _require_alive(world, endpoint)
        found = world.resources.get((MODEL, model))
        if not found:
            raise _GivenUpError(f'Could not find model "{world.arn(MODEL, model)}".')
        return str(found.facts["PrimaryContainer"]["ModelDataUrl"])


def _shift(world: Backend, endpoint: Resource, steps: Sequence[Step], alarms: list[str]) -> None:
    """Move the traffic to the new fleet step by step; raises `_GivenUpError` when an alarm goes off meanwhile."""
    state = hosting(endpoint)
    old, new = state.serving, state.pending
    if not new:
        raise StoppedError
    for step in steps:
        with world.lock:
            _require_alive(world, endpoint)
            state.runtime.largest_body_bytes = max(old.largest_body_bytes, new.largest_body_bytes)
            state.runtime.variants = old.taking(1 - step.share) + new.taking(step.share)
            new.status = "Baking"
        _bake(world, endpoint, step.paces, alarms)


def _bake(world: Backend, endpoint: Resource, paces: float, alarms: list[str]) -> None:
    """Wait with an eye on the alarms; raises `_GivenUpError` when one is in alarm, and takes the traffic back."""
    state = hosting(endpoint)
    cloudwatch = world.client("cloudwatch") if alarms else None
    for _ in range(_LOOKS_A_WAIT):
        world.pass_time(paces / _LOOKS_A_WAIT)
        _require_alive(world, endpoint)
        if not alarms:
            continue
        state.meter.push()
        tripped = cloudwatch_metrics.in_alarm(cloudwatch, alarms)
        if tripped:
            with world.lock:
                _require_alive(world, endpoint)
                state.runtime.variants = state.serving.taking(1.0)
                _tell(world, endpoint, "RollingBack")
            _wait(world, endpoint, 0.5)
            raise _GivenUpError(
                f"The deployment was rolled back because CloudWatch alarm(s) [{', '.join(tripped)}] went into ALARM "
                "state."
            )


def _take_over(endpoint: Resource, deployment: dict[str, Any]) -> None:
    """Let the fleet that was on its way be the one that serves."""
    state = hosting(endpoint)
    fleet = state.pending
    if not fleet:
        raise StoppedError
    fleet.status = ""
    state.runtime.variants = fleet.taking(1.0)
    state.runtime.largest_body_bytes = fleet.largest_body_bytes
    state.current, state.pending = fleet, None
    endpoint.private.pop("next_config", None)
    endpoint.facts["EndpointConfigName"] = fleet.config
    if deployment:
        endpoint.facts["LastDeploymentConfig"] = deployment


def _meter(world: Backend, endpoint: Resource) -> None:
    """Push what is counted, about once a pace, until the endpoint goes."""
    while True:
        world.pass_time(max(1.0, LEAST_METER_SECONDS / world.pace) if world.pace else 1.0)
        _require_alive(world, endpoint)
        hosting(endpoint).meter.push()


def _wait(world: Backend, endpoint: Resource, paces: float) -> None:
    """Wait, unless the endpoint is deleted meanwhile."""
    for _ in range(_LOOKS_A_WAIT):
        world.pass_time(paces / _LOOKS_A_WAIT)
        _require_alive(world, endpoint)


def _require_alive(world: Backend, endpoint: Resource) -> None:
    """Raise `StoppedError` when an endpoint is being deleted, or gone."""
    if endpoint.facts["EndpointStatus"] == "Deleting" or world.resources.get((KIND, endpoint.name)) is not endpoint:
        raise StoppedError


def _tell(world: Backend, endpoint: Resource, status: str, reason: str = "") -> None:
    """Change an endpoint's status."""
    endpoint.facts |= {"EndpointStatus": status, "LastModifiedTime": world.now()}
    endpoint.facts.pop("FailureReason", None)
    if reason:
        endpoint.facts["FailureReason"] = reason
