"""The lifecycle that training, transform and tuning jobs share: start, wait, stop and end."""

import threading
from collections.abc import Callable
from typing import Any

from simulator.container.errors import LONGEST_REASON
from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind, SimulatedResource
from simulator.sagemaker.service import Operation

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
SLOW_FACTOR = 20  # with the fault "slow", each state lasts this many times longer
_CHECKS_PER_WAIT = 10
_STUCK_CHECK_SECONDS = 0.2  # there may be hundreds of stuck jobs


class JobStoppedError(Exception):
    """The job was stopped by a Stop request."""


class JobFailedError(Exception):
    """The job cannot continue; the message is its `FailureReason`."""


def job_kind(prefix: str, arn_part: str, **changes: str) -> ResourceKind:
    """Return the kind of job whose members begin with a prefix, `Training` for TrainingJobName."""
    defaults = {
        "missing_message": "Requested resource not found: {arn}",
        "missing_code": "ResourceNotFound",
        "duplicate_message": f'Cannot create already existing {arn_part} "{{arn}}".',
        "duplicate_code": "ResourceInUse",
    }
    return ResourceKind(f"{prefix}Job", arn_part, **defaults | changes)


def start(
    backend: Backend,
    kind: ResourceKind,
    request: dict[str, Any],
    run: Callable[[Backend, SimulatedResource], None],
    fail: Callable[[Backend, SimulatedResource, str], None],
    private: dict[str, Any],
    **facts: Any,
) -> SimulatedResource:
    """Create a job and run it in the background; raises `ServiceError` if its name is taken."""
    job = backend.create(kind, request, status="InProgress", **facts)
    fault = backend.fault_injector.take_background_fault(f"Create{kind.api_name}")
    job.private.update(stop=threading.Event(), ended=threading.Event(), fault=fault, **private)
    backend.run_in_background(lambda: run(backend, job), lambda reason: fail(backend, job, reason))
    return job


def end(backend: Backend, job: SimulatedResource, status: str, reason: str = "") -> None:
    """Set a job's final status and end time; `reason` is a failure's."""
    end_time = {job.kind.api_name.removesuffix("Job") + "EndTime": backend.now()}
    backend.set_status(job, status, reason[:LONGEST_REASON], **end_time)
    job.private["ended"].set()


def fail(backend: Backend, job: SimulatedResource, reason: str) -> None:
    """End a job with a failure reason."""
    end(backend, job, "Failed", reason)


def is_stopped(job: SimulatedResource) -> bool:
    """Return whether a job was stopped."""
    stopped: bool = job.private["stop"].is_set()
    return stopped


def wait(backend: Backend, job: SimulatedResource, paces: float = 1.0) -> None:
    """Wait; raises `JobStoppedError` if the job is stopped, `StoppedError` if the simulator is."""
    if job.private["fault"] == "slow":
        paces *= SLOW_FACTOR
    for _ in range(_CHECKS_PER_WAIT):
        backend.pass_time(paces / _CHECKS_PER_WAIT)
        if is_stopped(job):
            raise JobStoppedError


def wait_if_stuck(backend: Backend, job: SimulatedResource) -> None:
    """Wait until the job is stopped if it has the fault "stuck"."""
    while job.private["fault"] == "stuck":
        if job.private["stop"].wait(_STUCK_CHECK_SECONDS):
            raise JobStoppedError
        backend.pass_time(0.0)


def stop(backend: Backend, job: SimulatedResource) -> None:
    """Request a job to stop; raises `ServiceError` if it has ended."""
    if not job.is_running:
        kind = job.kind.arn_part.replace("-", " ")
        raise InvalidRequestError(f"The request was rejected because the {kind} is in status {job.status}.")
    backend.set_status(job, "Stopping")
    job.private["stop"].set()


def stop_operation(kind: ResourceKind) -> dict[str, Operation]:
    """Return the operation that stops jobs of a kind."""

    def stop_job(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
        stop(backend, backend.find(kind, request[kind.name_member]))
        return {}

    return {f"Stop{kind.api_name}": stop_job}


def require_instances(backend: Backend, kind: ResourceKind, quota: str, count: int) -> None:
    """Raise `ServiceError` if a new job's instances exceed a quota such as "ml.m5.large for training job usage"."""
    running = (job for job in backend.all_of(kind) if job.is_running and job.private["quota"] == quota)
    backend.require_quota({quota: count}, {quota: sum(job.private["instances"] for job in running)})
