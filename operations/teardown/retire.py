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

FINDERS = ("endpoints", "autoscaling", "alarms", "configurations", "models")
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
        """Whether the endpoint certainly had no invocations."""
        return self.invocations == 0 and not self.why


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
    """Show the use of all endpoints that are not required, ask for confirmation, and delete those that are idle."""
    found = inventory.take(aws.account, stage, FINDERS)
    required = required_endpoints(aws.account, found, stage, packaged)
    others = uses(aws.account, found, required, idle, datetime.now(UTC))
    if not others:
        aws.print(f"All endpoints of stage {stage} are required: {', '.join(sorted(required.names))}.")
        return Retired((), ())
    aws.console.print(table(f"Endpoints of stage {stage} that the packaged release does not use", map(_row, others)))
    if required.condition:
        aws.print(f"Nothing can be deleted yet: {required.condition}")
    idle_endpoints = [use.endpoint for use in others if use.is_idle]
    if idle_endpoints:
        plan.confirm("Delete the idle endpoints?", yes)
        idle_endpoints = still_idle(aws, stage, packaged, idle_endpoints, idle)
    resources = [resource for endpoint in idle_endpoints for resource in with_dependents(found, endpoint)]
    failures = remove(aws, resources, DELETIONS, f"verdict retire --stage {stage}")
    failed = {failure.resource.name for failure in failures}
    deleted = tuple(endpoint.name for endpoint in idle_endpoints if endpoint.name not in failed)
    return Retired(deleted, tuple(use for use in others if not use.is_idle), tuple(failures))


def still_idle(
    aws: Aws, stage: str, packaged: PackagedRelease, endpoints: list[Resource], idle: timedelta
) -> list[Resource]:
    """Return the endpoints that are still idle and not required, because a prompt may have waited for hours."""
    found = inventory.take(aws.account, stage, FINDERS)
    now_idle = [
        use.endpoint
        for use in uses(
            aws.account, found, required_endpoints(aws.account, found, stage, packaged), idle, datetime.now(UTC)
        )
        if use.is_idle
    ]
    for endpoint in endpoints:
        if endpoint not in now_idle:
            aws.print(f"Kept: {endpoint.label}. It changed, or was used, after it was listed.")
    return [endpoint for endpoint in endpoints if endpoint in now_idle]


def _row(use: EndpointUse) -> tuple[str, str, str]:
    """Return an endpoint's row in the table."""
    count = use.why or f"{use.invocations:,} invocations"
    return use.endpoint.name, count, "idle" if use.is_idle else "kept"
