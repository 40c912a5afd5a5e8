"""The step `retire`: delete idle endpoints that the app no longer uses.

A release with another vocabulary has its own endpoint. After `chalice deploy` has switched the app to it, running
functions may still call the old endpoint: it is kept until CloudWatch has counted no invocations for a while. No
invocations do not prove that the app uses another endpoint, because it may have no visitors. Nothing is deleted until
the app has been deployed after the new endpoint was created, or after a rollback to an older one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import release
from operations.aws import names, plan
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there, translate_client_error
from operations.endpoint.invocation_metrics import invocations, reported_variants
from operations.inventory import inventory
from operations.inventory.inventory import Inventory
from operations.inventory.resources import Kind, Resource
from operations.teardown.deletions import DELETIONS
from operations.teardown.removal import DeletionFailure, remove
from operations.teardown.teardown import with_dependents
from training.progress import table

FINDERS = ("endpoints", "transform jobs", "autoscaling", "alarms", "configurations", "models")
MIN_IDLE = timedelta(minutes=5)  # CloudWatch reports invocations some minutes late
STABLE = ("InService", "Failed", "OutOfService")


@dataclass(frozen=True)
class PackagedRelease:
    """The packaged release: its vocabulary's fingerprint, and when its files were written on this machine."""

    fingerprint: str
    since: datetime

    @classmethod
    def read(cls) -> "PackagedRelease":
        """Read the packaged release."""
        fingerprint = release.load().facts.vocabulary_fingerprint
        written = (release.PACKAGED / release.FACTS_NAME).stat().st_mtime
        return cls(fingerprint, datetime.fromtimestamp(written, UTC))


@dataclass(frozen=True)
class EndpointUse:
    """An endpoint's number of invocations, None if unknown; and why it is unknown, "" if it isn't."""

    endpoint: Resource
    invocations: int | None
    why: str

    @property
    def is_idle(self) -> bool:
        """Whether the endpoint certainly had no invocations, or is being deleted already."""
        return self.endpoint.state == "Deleting" or (self.invocations == 0 and not self.why)


@dataclass(frozen=True)
class RequiredEndpoints:
    """The names of required endpoints; and what must be done before others are deleted, "" for nothing."""

    names: frozenset[str]
    condition: str = ""


@dataclass(frozen=True)
class Retired:
    """The deleted endpoints; those that are or may be in use; and failures."""

    deleted: tuple[str, ...]
    used: tuple[EndpointUse, ...]
    left: tuple[DeletionFailure, ...] = ()


def required_endpoints(account: Account, found: Inventory, stage: str, packaged: PackagedRelease) -> RequiredEndpoints:
    """Return the endpoints of the packaged release and of the deployed app.

    The app's environment variable `ENDPOINT_NAME` names its endpoint. Without it, the app calls the endpoint of the
    release it was deployed with. That is the packaged release's only if that existed before the last deployment.
    """
    name = names.endpoint(stage, packaged.fingerprint)
    function = if_there(account.client("lambda").get_function, FunctionName=f"{names.APP}-{stage}")
    if not function:
        return RequiredEndpoints(frozenset((name,)))  # other callers are known by their invocations only
    environment: Mapping[str, str] = function["Configuration"].get("Environment", {}).get("Variables", {})
    if environment.get("ENDPOINT_NAME"):
        return RequiredEndpoints(frozenset((name, environment["ENDPOINT_NAME"])))
    since = _current_since(found, name, packaged)
    condition = ""
    if not since:
        condition = f"{name} does not exist yet. Run: verdict update --stage {stage}"
    elif _deployed(function) <= since:
        condition = f"the app must be deployed first. Run: chalice deploy --stage {stage}"
    return RequiredEndpoints(frozenset((name,)), condition)


def _current_since(found: Inventory, name: str, packaged: PackagedRelease) -> datetime | None:
    """Return since when newly deployed apps call an endpoint, None if it does not exist.

    This is its creation; or, if a newer endpoint exists, the rollback that packaged its release again.
    """
    created = {endpoint.name: endpoint.created for endpoint in found.of(Kind.ENDPOINT) if endpoint.created}
    if name not in created:
        return None
    return max(created[name], packaged.since) if created[name] < max(created.values()) else created[name]


def _deployed(function: Mapping[str, Any]) -> datetime:
    """Return when a function was last modified, which Lambda writes as `2026-11-25T00:30:00.000+0000`."""
    return datetime.fromisoformat(function["Configuration"]["LastModified"])


def use_of(account: Account, endpoint: Resource, idle: timedelta, now: datetime) -> EndpointUse:
    """Count an endpoint's invocations during the last `idle` time.

    The use is unknown if the metrics cannot be read, and for a changing endpoint or one younger than `idle`.
    """
    if endpoint.state not in STABLE:
        return EndpointUse(endpoint, None, f"it is {endpoint.state}")
    if endpoint.created is None or now - endpoint.created < idle:
        return EndpointUse(endpoint, None, "it is too new")
    try:
        reported = reported_variants(account, endpoint.name)
        variants = sorted({variant.name for variant in endpoint.variants}.union(reported))
        counts = [invocations(account, endpoint.name, name, now - idle, now) for name in variants]
    except ClientError as error:
        reason = translate_client_error(error).detail
        return EndpointUse(endpoint, None, f"its invocations could not be read: {reason}")
    return EndpointUse(endpoint, sum(counts), "")


def uses(
    account: Account, found: Inventory, required: RequiredEndpoints, idle: timedelta, now: datetime
) -> list[EndpointUse]:
    """Return the use of each endpoint that is not required."""
    others = [endpoint for endpoint in found.of(Kind.ENDPOINT) if endpoint.name not in required.names]
    if required.condition:
        return [EndpointUse(endpoint, None, "the app may still use it") for endpoint in others]
    return [use_of(account, endpoint, idle, now) for endpoint in others]


def retire(aws: Aws, stage: str, packaged: PackagedRelease, idle: timedelta, yes: bool) -> Retired:
    """Show the use of all endpoints that are not required, ask for confirmation, and delete those that are idle.

    Also deletes what an interrupted command left of deleted endpoints.
    """
    findings = find(aws.account, stage, packaged, idle)
    if not findings.others and not findings.remains:
        aws.print(f"All endpoints of stage {stage} are required: {', '.join(sorted(findings.required.names))}.")
        return Retired((), ())
    _show(aws, stage, findings)
    idle_endpoints, remains = findings.idle, findings.remains
    if idle_endpoints or remains:
        plan.confirm("Delete the idle endpoints?" if idle_endpoints else "Delete what is left of them?", yes)
        now = find(aws.account, stage, packaged, idle)  # because a prompt may have waited for hours
        for endpoint in idle_endpoints:
            if endpoint not in now.idle:
                aws.print(f"Kept: {endpoint.label}. It changed, or was used, after it was listed.")
        idle_endpoints = [endpoint for endpoint in idle_endpoints if endpoint in now.idle]
        remains = [resource for resource in remains if resource in now.remains]
    dependents = [each for endpoint in idle_endpoints for each in with_dependents(findings.found, endpoint)]
    failures = remove(aws, [*dependents, *remains], DELETIONS, f"verdict retire --stage {stage}")
    failed = {failure.resource.name for failure in failures}
    deleted = tuple(endpoint.name for endpoint in idle_endpoints if endpoint.name not in failed)
    return Retired(deleted, tuple(use for use in findings.others if not use.is_idle), tuple(failures))


@dataclass(frozen=True)
class Findings:
    """A stage's resources, the use of each endpoint that is not required, and what is left of deleted endpoints."""

    found: Inventory
    required: RequiredEndpoints
    others: list[EndpointUse]
    remains: list[Resource]

    @property
    def idle(self) -> list[Resource]:
        """The endpoints to delete."""
        return [use.endpoint for use in self.others if use.is_idle]


def find(account: Account, stage: str, packaged: PackagedRelease, idle: timedelta) -> Findings:
    """Find what may be deleted in a stage."""
    found, now = inventory.take(account, stage, FINDERS), datetime.now(UTC)
    required = required_endpoints(account, found, stage, packaged)
    return Findings(found, required, uses(account, found, required, idle, now), remains_of(found, required, now - idle))


def remains_of(found: Inventory, required: RequiredEndpoints, before: datetime) -> list[Resource]:
    """Return the configurations and models of endpoints that do not exist, if they were created before a time.

    A deployment creates its endpoint seconds after them. None are returned if something could not be listed.
    """
    names_kept = {endpoint.name for endpoint in found.of(Kind.ENDPOINT)} | required.names
    return [
        resource
        for resource in ([] if found.unread else found.of(Kind.CONFIGURATION, Kind.MODEL))
        if resource.created and resource.created < before and resource.name not in found.models_of_jobs
        if not any(resource.name.startswith(f"{name}-") for name in names_kept)
    ]


def _show(aws: Aws, stage: str, findings: Findings) -> None:
    """Print the use of each endpoint, what is left of others, and why nothing can be deleted yet."""
    if findings.others:
        title = f"Endpoints of stage {stage} that the packaged release does not use"
        aws.console.print(table(title, map(_row, findings.others)))
    for resource in findings.remains:
        aws.print(f"Left of a deleted endpoint: {resource.label}")
    if findings.required.condition:
        aws.print(f"Nothing can be deleted yet: {findings.required.condition}")


def _row(use: EndpointUse) -> tuple[str, str, str]:
    """Return an endpoint's row in the table."""
    count = use.why or f"{use.invocations:,} invocations"
    return use.endpoint.name, count, "idle" if use.is_idle else "kept"
