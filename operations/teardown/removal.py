"""Deletion of several resources in dependency order. One that cannot be deleted does not stop the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operations.aws import log_groups
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, translate_errors
from operations.aws.waiting import StoppedWaitingError, wait_for
from operations.endpoint import endpoint_state
from operations.inventory.resources import JOBS, Kind, Resource
from operations.inventory.running_jobs import API_NAMES, RUNNING, job_operation
from operations.teardown import ownership
from operations.teardown.deletions import Deletion

FATAL = (
    "expired",
    "credentials",
    "no-credentials",
    "not-reached",
    "no-region",
    "clock",
)  # every other deletion would fail too
TIMEOUT_SECONDS = endpoint_state.LONGEST_MINUTES * 60  # for endpoints to be deleted and jobs to stop


@dataclass(frozen=True)
class DeletionFailure:
    """A resource that could not be deleted, and the reason."""

    resource: Resource
    why: str


def remove(
    aws: Aws,
    resources: Sequence[Resource],
    deletions: Mapping[Kind, Deletion],
    resume: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[DeletionFailure]:
    """Delete resources in the order of `deletions` (kind -> function), and return the failures.

    Resources that no longer exist are ignored. If an endpoint fails, its configurations and models are kept. Stable
    resources are deleted before changing ones. `resume` is the command that continues after Ctrl-C.
    """
    failures: list[DeletionFailure] = []
    for kind, delete in deletions.items():
        started = []
        of_kind = [resource for resource in resources if resource.kind == kind]
        for resource in sorted(of_kind, key=lambda resource: resource.state in endpoint_state.MOVING):
            why = _user_of(resource, failures) or _delete(aws, resource, delete)
            if why:
                failures.append(DeletionFailure(resource, why))
            else:
                started.append(resource)
        failures += _await_end(aws, kind, started, resume, timeout_seconds)
        for resource in started if kind == Kind.ENDPOINT else ():  # its log may have begun after it was listed
            log_groups.tag(aws.account, f"{endpoint_state.LOGS}{resource.name}", resource.stage)
    return failures


def _delete(aws: Aws, resource: Resource, delete: Deletion) -> str:
    """Delete a resource if it is ours; returns the reason for a failure, "" on success.

    Raises on Ctrl-C and `FATAL` errors.
    """
    try:
        with translate_errors():
            ownership.check(aws, resource)
            delete(aws, resource)
    except (AwsError, StoppedWaitingError) as error:
        return "" if getattr(error, "kind", "") == "absent" else _reason(error)
    except OSError as error:  # Chalice's record, for example: what is billed must go nevertheless
        return f"{error.filename or 'A local file'} cannot be written: {error.strerror or error}."
    aws.print(f"{'Stopped' if resource.kind in JOBS else 'Deleted'}: {resource.label}")
    return ""


def _reason(error: AwsError | StoppedWaitingError) -> str:
    """Return the reason in an error; raises it if the whole command must end."""
    if isinstance(error.__cause__, KeyboardInterrupt) or getattr(error, "kind", "") in FATAL:
        raise error
    return error.detail


def _user_of(resource: Resource, failures: Sequence[DeletionFailure]) -> str:
    """Return a sentence about the remaining endpoint that uses a configuration or a model, "" if there is none."""
    if resource.kind not in (Kind.CONFIGURATION, Kind.MODEL):
        return ""
    remaining = [failure.resource.name for failure in failures if failure.resource.kind == Kind.ENDPOINT]
    users = [name for name in remaining if resource.name.startswith(f"{name}-")]
    return f"Endpoint {users[0]} still uses it." if users else ""


def _await_end(
    aws: Aws, kind: Kind, started: Sequence[Resource], resume: str, timeout_seconds: float
) -> list[DeletionFailure]:
    """Wait until endpoints are deleted or jobs have stopped, as they are billed until then; returns the others."""
    if kind not in (Kind.ENDPOINT, *JOBS) or not started:
        return []

    def look() -> list[Resource]:
        return [resource for resource in started if is_billed(aws, resource)]

    def describe(remaining: list[Resource]) -> str:
        verb = "deleting" if kind == Kind.ENDPOINT else "stopping"
        return f"{verb} {', '.join(resource.name for resource in remaining)}"

    try:
        with translate_errors():
            wait_for(look, lambda remaining: not remaining, describe, aws.console, resume, timeout_seconds, aws.pause)
    except StoppedWaitingError as error:
        why = _reason(error)
        return [DeletionFailure(resource, why) for resource in look()]
    except AwsError as error:
        why = f"Its deletion could not be verified: {_reason(error)}"
        return [DeletionFailure(resource, why) for resource in started]
    return []


def is_billed(aws: Aws, resource: Resource) -> bool:
    """Return whether an endpoint exists, or a job runs."""
    if resource.kind == Kind.ENDPOINT:
        return if_there(aws.account.client("sagemaker").describe_endpoint, EndpointName=resource.name) is not None
    job = if_there(job_operation(aws.account, "Describe", resource.kind, resource.name)) or {}
    return job.get(f"{API_NAMES[resource.kind]}Status") in RUNNING
