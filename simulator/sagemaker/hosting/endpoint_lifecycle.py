"""An endpoint's lifecycle in the background: creation, updates without a gap, rollbacks, and deletion.

Deleting an endpoint stops its other background work at that work's next step. AWS refuses to delete an endpoint while
it is created or changed.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.endpoint.runtime import RuntimeEndpoint
from simulator.sagemaker.backend import Backend, ResourceKind, SimulatedResource, StoppedError
from simulator.sagemaker.hosting import autoscaling, cloudwatch_metrics
from simulator.sagemaker.hosting.cloudwatch_metrics import InvocationMetrics
from simulator.sagemaker.hosting.fleets import Fleet
from simulator.sagemaker.hosting.model_loading import LoadError, log_line, start_container
from simulator.sagemaker.hosting.models import MODEL, container_of
from simulator.sagemaker.hosting.traffic_shifting import Step, alarm_names
from simulator.sagemaker.images import substitution_warning
from simulator.sagemaker.log_stream import LogStream
from simulator.sagemaker.storage import ArchiveError

ENDPOINT = ResourceKind(
    "Endpoint",
    "endpoint",
    missing_message='Could not find endpoint "{arn}".',
    duplicate_message='Cannot create already existing endpoint "{arn}".',
)
UNHEALTHY = (
    "The primary container for production variant {variant} did not pass the ping health check. Please check "
    "CloudWatch logs for this endpoint."
)
NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using "
    "a different ML instance type or after some time."
)
TIMED_OUT = "Request to service failed. If failure persists after retry, contact customer support."
_START_PACES = {"slow": 5.0, "stuck": 100.0}  # by fault; AWS too gives up on an endpoint that does not start
MIN_PUSH_SECONDS = 0.2
_CHECKS_PER_WAIT = 10


class EndpointFleets:
    """The fleets of an endpoint: the current one, the pending one during an update, and the metrics of both."""

    def __init__(self, backend: Backend, name: str, pending: Fleet) -> None:
        self.current: Fleet | None = None
        self.pending: Fleet | None = pending
        self.metrics = InvocationMetrics(backend, name)
        self.deleted = threading.Event()
        self.runtime = RuntimeEndpoint(name, (), pause=self.deleted.wait, on_invocation=self.metrics.record)

    @property
    def serving(self) -> Fleet:
        """The current fleet; raises `StoppedError` if there is none."""
        if not self.current:
            raise StoppedError
        return self.current

    def route(self, *shares: tuple[Fleet, float]) -> None:
        """Distribute the traffic over fleets, each with its share."""
        self.runtime.largest_body_bytes = max(fleet.max_body_bytes for fleet, _ in shares)
        self.runtime.variants = tuple(variant for fleet, share in shares for variant in fleet.with_share(share))


class _DeploymentFailedError(Exception):
    """The pending fleet cannot go into service; the message is the endpoint's `FailureReason`."""


def deployment_of(endpoint: SimulatedResource) -> EndpointFleets:
    """Return an endpoint's fleets."""
    deployment: EndpointFleets = endpoint.private["deployment"]
    return deployment


def deploy(
    backend: Backend, endpoint: SimulatedResource, steps: Sequence[Step], config: dict[str, Any], fault: str
) -> None:
    """Put the pending fleet into service: Creating or Updating -> InService.

    On failure, a new endpoint is Failed, and an updated one is InService with its old fleet and a failure reason. A new
    endpoint's metrics are then pushed until it is deleted.
    """
    deployment = deployment_of(endpoint)
    old = deployment.current
    try:
        _start_pending(backend, endpoint, fault)
        if old:
            _shift_traffic(backend, endpoint, steps, alarm_names(config))
    except (_DeploymentFailedError, BotoCoreError, ClientError) as error:
        with _lock_existing(backend, endpoint):
            deployment.pending = None
            endpoint.private.pop("next_config", None)
            if old:
                deployment.route((old, 1.0))
            backend.set_status(endpoint, "InService" if old else "Failed", str(error))
        return
    with _lock_existing(backend, endpoint):
        _promote_pending(endpoint, config if old else {})
        backend.endpoints[endpoint.name] = deployment.runtime
        backend.set_status(endpoint, "InService")
    if not old:
        _push_metrics(backend, endpoint)


def apply_weights(backend: Backend, endpoint: SimulatedResource) -> None:
    """Updating -> InService with the desired weights and instance counts."""
    _wait(backend, endpoint, 0.5)
    deployment = deployment_of(endpoint)
    with _lock_existing(backend, endpoint):
        for variant in deployment.serving.variants:
            variant.apply_desired()
        deployment.route((deployment.serving, 1.0))
        backend.set_status(endpoint, "InService")


def delete(backend: Backend, endpoint: SimulatedResource) -> None:
    """Delete an endpoint with status Deleting, and its scalable targets."""
    deployment = deployment_of(endpoint)
    deployment.deleted.set()
    backend.pass_time(0.5)
    deployment.metrics.push()
    if deployment.current:
        autoscaling.deregister(backend, endpoint.name, deployment.current)
    with backend.lock:
        backend.remove(endpoint)


def fail(backend: Backend, endpoint: SimulatedResource, reason: str) -> None:
    """Set an endpoint to Failed in any state: it stops answering and can only be deleted."""
    with backend.lock:
        backend.endpoints.pop(endpoint.name, None)
        deployment_of(endpoint).pending = None
        backend.set_status(endpoint, "Failed", reason)


def _start_pending(backend: Backend, endpoint: SimulatedResource, fault: str) -> None:
    """Start the containers of the pending fleet; raises `_DeploymentFailedError`."""
    _wait(backend, endpoint, _START_PACES.get(fault, 1.0))
    if fault == "stuck":
        raise _DeploymentFailedError(TIMED_OUT)
    if fault == "capacity":
        raise _DeploymentFailedError(NO_CAPACITY)
    fleet = deployment_of(endpoint).pending
    s3, logs = backend.client("s3"), backend.client("logs")
    for variant in fleet.variants if fleet else ():
        stream = f"{variant.name}/i-{uuid.uuid4().hex[:17]}"
        log = LogStream(logs, f"/aws/sagemaker/Endpoints/{endpoint.name}", stream, backend.now)
        if warning := substitution_warning(variant.image):
            log.write(warning)
        try:
            if fault == "fail":
                log_line(log, "ERROR", "Worker failed to boot.", backend.now())
                log.flush()
                raise LoadError
            url = _archive_url(backend, endpoint, variant.model)
            variant.container = start_container(s3, url, variant.image, log, backend.now())
        except ArchiveError as error:
            raise _DeploymentFailedError(str(error)) from error
        except LoadError as error:
            raise _DeploymentFailedError(UNHEALTHY.format(variant=variant.name)) from error
        variant.resolved_at = backend.now()


def _archive_url(backend: Backend, endpoint: SimulatedResource, name: str) -> str:
    """Return the URL of a model's archive; raises `_DeploymentFailedError` if the model was deleted."""
    with _lock_existing(backend, endpoint):
        model = backend.get(MODEL, name)
        if not model:
            raise _DeploymentFailedError(f'Could not find model "{backend.arn(MODEL, name)}".')
        return str(container_of(model)["ModelDataUrl"])


def _shift_traffic(backend: Backend, endpoint: SimulatedResource, steps: Sequence[Step], alarms: list[str]) -> None:
    """Shift the traffic to the pending fleet; raises `_DeploymentFailedError` if an alarm goes off."""
    deployment = deployment_of(endpoint)
    old, new = deployment.serving, deployment.pending
    if not new:
        raise StoppedError
    for step in steps:
        with _lock_existing(backend, endpoint):
            deployment.route((old, 1 - step.share), (new, step.share))
            new.status = "Baking"
        _bake(backend, endpoint, step.paces, alarms)


def _bake(backend: Backend, endpoint: SimulatedResource, paces: float, alarms: list[str]) -> None:
    """Wait and check the alarms; raises `_DeploymentFailedError` after a rollback if one is in alarm."""
    deployment = deployment_of(endpoint)
    for _ in range(_CHECKS_PER_WAIT):
        backend.pass_time(paces / _CHECKS_PER_WAIT)
        _require_exists(backend, endpoint)
        if not alarms:
            continue
        deployment.metrics.push()
        triggered = cloudwatch_metrics.in_alarm(backend.client("cloudwatch"), alarms)
        if triggered:
            with _lock_existing(backend, endpoint):
                deployment.route((deployment.serving, 1.0))
                backend.set_status(endpoint, "RollingBack")
            _wait(backend, endpoint, 0.5)
            raise _DeploymentFailedError(
                f"The deployment was rolled back because CloudWatch alarm(s) [{', '.join(triggered)}] went into ALARM "
                "state."
            )


def _promote_pending(endpoint: SimulatedResource, config: dict[str, Any]) -> None:
    """Make the pending fleet the current one."""
    deployment = deployment_of(endpoint)
    fleet = deployment.pending
    if not fleet:
        raise StoppedError
    fleet.status = ""
    deployment.route((fleet, 1.0))
    deployment.current, deployment.pending = fleet, None
    endpoint.private.pop("next_config", None)
    endpoint.facts["EndpointConfigName"] = fleet.config
    if config:
        endpoint.facts["LastDeploymentConfig"] = config


def _push_metrics(backend: Backend, endpoint: SimulatedResource) -> None:
    """Push metrics about once per pace until the endpoint is deleted."""
    while True:
        backend.pass_time(max(1.0, MIN_PUSH_SECONDS / backend.pace) if backend.pace else 1.0)
        _require_exists(backend, endpoint)
        deployment_of(endpoint).metrics.push()


def _wait(backend: Backend, endpoint: SimulatedResource, paces: float) -> None:
    """Wait; raises `StoppedError` if the endpoint is deleted meanwhile."""
    for _ in range(_CHECKS_PER_WAIT):
        backend.pass_time(paces / _CHECKS_PER_WAIT)
        _require_exists(backend, endpoint)


def _require_exists(backend: Backend, endpoint: SimulatedResource) -> None:
    """Raise `StoppedError` if an endpoint is being deleted or does not exist any more."""
    if endpoint.status == "Deleting" or backend.get(ENDPOINT, endpoint.name) is not endpoint:
        raise StoppedError


@contextmanager
def _lock_existing(backend: Backend, endpoint: SimulatedResource) -> Iterator[None]:
    """Hold the backend's lock; raises `StoppedError` if the endpoint is being deleted or does not exist any more."""
    with backend.lock:
        _require_exists(backend, endpoint)
        yield
