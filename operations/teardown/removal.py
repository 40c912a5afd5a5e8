"""Deletes a list of things in the right order, goes on where one is refused, and says what is left and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.aws.command import Aws
from operations.aws.errors import AwsError, explained, is_absent
from operations.aws.waiting import StoppedWaitingError, wait_for
from operations.endpoint import endpoint_state
from operations.inventory.jobs import RUNNING
from operations.inventory.resources import CONFIGURATION, ENDPOINT, JOBS, MODEL, Resource
from operations.teardown.deletions import JOB_OPERATIONS, Deletion

HOPELESS = ("expired", "credentials", "no-credentials", "not-reached", "no-region")  # nothing else would go either
STOPPED = "stopped"
LONGEST_SECONDS = endpoint_state.LONGEST_MINUTES * 60  # that endpoints may take to go, and jobs to stop


@dataclass(frozen=True)
class DeletionFailure:
    """Something that could not be deleted, and why."""

    resource: Resource
    why: str


def remove(
    aws: Aws,
    resources: Sequence[Resource],
    deletions: Mapping[str, Deletion],
    resume: str,
    longest_seconds: float = LONGEST_SECONDS,
) -> list[DeletionFailure]:
    """Delete them, in the order of `deletions` (kind -> how); returns what is left. `resume` goes on after Ctrl-C.

    What is gone already is fine. Configurations and models of an endpoint that could not be deleted are kept. What
    takes too long is left, and the rest goes: what rests is deleted before what is on the move.
    """
    left: list[DeletionFailure] = []
    for kind, delete in deletions.items():
        gone = []
        for resource in sorted((one for one in resources if one.kind == kind), key=_is_moving):
            why = _still_used(resource, left) or _refusal(aws, resource, delete)
            if why:
                left.append(DeletionFailure(resource, why))
            else:
                gone.append(resource)
        left += _lasting(aws, kind, gone, resume, longest_seconds)
    return left


def _is_moving(resource: Resource) -> bool:
    """Tell whether an endpoint may have to be waited for before it can be deleted."""
    return resource.state in endpoint_state.MOVING


def _refusal(aws: Aws, resource: Resource, delete: Deletion) -> str:
    """Delete one thing, and note it; returns why not, "" when it went. Raises `AwsError` when nothing would go."""
    try:
        with explained():
            delete(aws, resource)
    except StoppedWaitingError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise
        return error.detail
    except AwsError as error:
        if error.kind in HOPELESS:
            raise
        return "" if error.kind == "absent" else error.detail
    done = STOPPED if resource.kind in JOBS else "deleted"
    aws.journal.write(done, resource.kind, resource.name, stage=resource.stage)
    aws.say(f"{done.capitalize()}: {resource.kind} {resource.name}")
    return ""


def _still_used(resource: Resource, left: Sequence[DeletionFailure]) -> str:
    """Say which endpoint that stays needs a configuration or a model, "" for none."""
    if resource.kind not in (CONFIGURATION, MODEL):
        return ""
    staying = [one.resource.name for one in left if one.resource.kind == ENDPOINT]
    return next((f"Endpoint {name} still uses it." for name in staying if resource.name.startswith(f"{name}-")), "")


def _lasting(
    aws: Aws, kind: str, ordered: Sequence[Resource], resume: str, longest_seconds: float
) -> list[DeletionFailure]:
    """Wait until endpoints are gone, or jobs have stopped: they are billed until then; returns what stays too long."""
    if kind not in (ENDPOINT, *JOBS) or not ordered:
        return []
    there = endpoint_is_there if kind == ENDPOINT else job_is_running

    def look() -> list[Resource]:
        return [one for one in ordered if there(aws, one)]

    def say(staying: list[Resource]) -> str:
        return f"{'deleting' if kind == ENDPOINT else 'stopping'} {', '.join(one.name for one in staying)}"

    try:
        with explained():
            wait_for(look, lambda staying: not staying, say, aws.console, resume, longest_seconds, aws.pause)
    except StoppedWaitingError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise
        return [DeletionFailure(one, error.detail) for one in look()]
    except AwsError as error:
        if error.kind in HOPELESS:
            raise
        return [DeletionFailure(one, f"Whether it is gone could not be seen: {error.detail}") for one in ordered]
    return []


def endpoint_is_there(aws: Aws, endpoint: Resource) -> bool:
    """Tell whether an endpoint still exists."""
    return _state(aws, "describe_endpoint", "Endpoint", endpoint.name) != ""


def job_is_running(aws: Aws, job: Resource) -> bool:
    """Tell whether a job still runs."""
    _, describe, member = JOB_OPERATIONS[job.kind]
    return _state(aws, describe, member, job.name) in RUNNING


def _state(aws: Aws, describe: str, member: str, name: str) -> str:
    """Return the status of something, "" when it is gone."""
    try:
        answer: dict[str, Any] = getattr(aws.account.client("sagemaker"), describe)(**{f"{member}Name": name})
    except ClientError as error:
        if is_absent(error):
            return ""
        raise
    return str(answer[f"{member}Status"])
