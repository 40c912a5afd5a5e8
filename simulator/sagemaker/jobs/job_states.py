"""What training, transform and tuning jobs share: stopping them, waiting, and how they end."""

import threading
from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.hosting import capacity

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
SLOWER = 20  # how many times longer a state lasts in a job that drags
_STEPS = 10  # a job that waits looks up so many times


class JobStoppedError(Exception):
    """Somebody stopped the job."""


def prepare(job: Resource, mishap: str) -> None:
    """Make a job stoppable, and remember what is to go wrong with it."""
    job.private.update(stop=threading.Event(), done=threading.Event(), mishap=mishap)


def is_stopped(job: Resource) -> bool:
    """Tell whether somebody stopped a job."""
    stopped: bool = job.private["stop"].is_set()
    return stopped


def pause(world: Backend, job: Resource, share: float = 1.0) -> None:
    """Wait as long as a state of the job lasts; raises `JobStoppedError`, or `StoppedError` with the simulator."""
    if job.private["mishap"] == "slow":
        share *= SLOWER
    for _ in range(_STEPS):
        world.pass_time(share / _STEPS)
        if is_stopped(job):
            raise JobStoppedError


def hang(world: Backend, job: Resource) -> None:
    """Wait until somebody stops the job."""
    while True:
        pause(world, job)


def stop(world: Backend, job: Resource, status_key: str) -> None:
    """Ask a job to stop; raises `ServiceError` when it has ended."""
    if job.facts[status_key] not in ("InProgress", "Stopping"):
        raise ServiceError(
            "ValidationException",
            f"The request was rejected because the {job.kind.replace('-', ' ')} is in status {job.facts[status_key]}.",
        )
    job.facts.update({status_key: "Stopping", "LastModifiedTime": world.now()})
    job.private["stop"].set()


def require_instances(world: Backend, kind: str, status_key: str, config: dict[str, Any], quota: str) -> None:
    """Raise `ServiceError` when the instances of a new job are more than its quota has left.

    `quota` is what the quotas of its kind are called after the instance type, "training job usage".
    """
    name = f"{config['InstanceType']} for {quota}"
    used = sum(
        job.private["instances"]
        for job in world.all_of(kind)
        if job.private["quota"] == name and job.facts[status_key] in ("InProgress", "Stopping")
    )
    capacity.require(world, {name: config["InstanceCount"]}, {name: used})
