"""The step `teardown`: delete this project's resources in dependency order, and verify that nothing billed is left.

It lists the resources first and asks for confirmation. After an interruption, repeating the command completes it,
because the resources are read from AWS each time.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.errors import SentimentError
from operations.aws import plan, prices
from operations.aws.command import Aws
from operations.aws.names import DEFAULT_STAGE, MODEL_TAG
from operations.inventory import inventory
from operations.inventory.inventory import ENDPOINTS, Inventory
from operations.inventory.resources import JOBS, SHARED, Kind, Resource
from operations.teardown import verification
from operations.teardown.app_deletion import delete_app
from operations.teardown.deletions import DELETIONS, Deletion
from operations.teardown.removal import DeletionFailure, remove
from operations.teardown.verification import why_shared_are_kept

OF_ENDPOINT = (Kind.SCALABLE_TARGET, Kind.ALARM, Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL)
USED_BY_ENDPOINTS = (Kind.SCALABLE_TARGET, Kind.ALARM, Kind.CONFIGURATION, Kind.MODEL)
ALWAYS = (*OF_ENDPOINT, *JOBS, Kind.TRANSFORM_OUTPUT)
USERS_OF_SHARED = (Kind.ENDPOINT, *JOBS)
LOGS = (Kind.LOG_GROUP, Kind.LOG_STREAMS)
OPTIONAL = {
    "bucket": (Kind.BUCKET,),
    "role": (Kind.ROLE,),
    "logs": LOGS,
    "packages": (Kind.PACKAGE_GROUP,),
    "feedback": (Kind.FEEDBACK_TABLE,),
}


class LeftOverError(SentimentError):
    """A resource could not be deleted."""

    type = "left-over"
    title = "Not everything could be deleted"


class UnreadError(SentimentError):
    """A resource could not be listed, so it may exist and be billed."""

    type = "unread"
    title = "Not everything could be listed"


@dataclass(frozen=True)
class Scope:
    """What to delete: resources of a stage or (None) of all, and the `optional` kinds, keys of `OPTIONAL`."""

    stage: str | None = DEFAULT_STAGE
    expired_only: bool = False
    optional: tuple[str, ...] = ()
    app: bool = True
    jobs_only: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether only expired endpoints or only jobs are deleted."""
        return self.expired_only or self.jobs_only

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of resources to delete."""
        more = tuple(kind for name in self.optional for kind in OPTIONAL[name])
        return (*ALWAYS, *((Kind.APP,) if self.app else ()), *more)

    @property
    def command(self) -> str:
        """The equivalent command line."""
        stage = ["--stage", self.stage] if self.stage else ["--all-stages"]
        more = [*(["--expired"] if self.expired_only else []), *(["--jobs"] if self.jobs_only else [])]
        more += [] if self.app else ["--no-app"]
        optional = ["--with", ",".join(self.optional)] if self.optional else []
        return shlex.join(["verdict", "teardown", *stage, *more, *optional])


def select_for_deletion(found: Inventory, scope: Scope, now: datetime) -> list[Resource]:
    """Return the resources to delete.

    Shared resources are kept while another stage has, or may have, resources. Resources that endpoints use are kept if
    the endpoints could not be listed.
    """
    in_scope = [resource for resource in found.resources if scope.stage in (None, resource.stage) or not resource.stage]
    if scope.expired_only:
        expired = [resource for resource in in_scope if resource.kind == Kind.ENDPOINT and resource.has_expired(now)]
        return [resource for endpoint in expired for resource in with_dependents(found, endpoint)]
    if scope.jobs_only:
        jobs = [resource for resource in in_scope if resource.kind in JOBS]
        return [resource for job in jobs for resource in with_files(found, job)]
    kept = (
        *(SHARED if why_shared_are_kept(found, scope.stage) else ()),
        *(USED_BY_ENDPOINTS if found.is_unread(ENDPOINTS) else ()),
    )
    return [
        resource
        for resource in in_scope
        if resource.kind in scope.kinds and resource.kind not in kept and not resource.is_foreign_bucket
    ]


def with_dependents(found: Inventory, endpoint: Resource) -> list[Resource]:
    """Return an endpoint with its alarms, autoscaling, configurations and models; not the models of jobs."""
    return [
        resource
        for resource in found.of(*OF_ENDPOINT)
        if (resource.name.startswith(f"{endpoint.name}-") and resource.name not in found.models_of_jobs)
        or endpoint.name in (resource.name, resource.facts.get("endpoint"))
    ]


def with_files(found: Inventory, job: Resource) -> list[Resource]:
    """Return a job; and of a transform job the model that was created for it, and its input and output."""
    models = [model for model in found.of(Kind.MODEL) if model.name == job.tags.get(MODEL_TAG)]
    outputs = [output for output in found.of(Kind.TRANSFORM_OUTPUT) if output.name.endswith(f"/{job.name}/")]
    return [job, *models, *outputs]


def teardown(aws: Aws, scope: Scope, yes: bool, deletions: Mapping[Kind, Deletion]) -> Inventory:
    """List, confirm, delete and verify; returns the inventory afterwards.

    Raises `LeftOverError` if a deletion failed, and `UnreadError` if resources could not be listed.
    """
    found = inventory.take(aws.account)
    selected = select_for_deletion(found, scope, datetime.now(UTC))
    failures: list[DeletionFailure] = []
    for sentence in kept_sentences(found, scope):
        aws.print(sentence)
    if selected:
        _propose(aws, selected, scope, yes)
        failures = _remove(aws, found, selected, scope, deletions)
    else:
        aws.print("There is nothing to delete.")
    after = inventory.take(aws.account)
    late = _late_logs(after, scope) if selected and not failures else []
    if late:
        failures = remove(aws, late, deletions, scope.command)
        after = inventory.take(aws.account)
    for sentence in verification.sentences(aws.account, after, scope.stage):
        aws.print(sentence)
    if failures:
        reasons = "".join(f"\n  {failure.resource.label}: {failure.why}" for failure in failures)
        raise LeftOverError(f"Not everything could be deleted:{reasons}\nAfter fixing this, repeat: {scope.command}")
    if after.unread:
        unread = ", ".join(reason.partition(": ")[0] for reason in after.unread)  # the reasons are printed above
        raise UnreadError(
            f"Not everything could be listed ({unread}), so more resources may exist. "
            f"After fixing this, repeat: {scope.command}"
        )
    return after


def _remove(
    aws: Aws, found: Inventory, selected: Sequence[Resource], scope: Scope, deletions: Mapping[Kind, Deletion]
) -> list[DeletionFailure]:
    """Delete what was selected, and return the failures.

    Shared resources come last, and are kept if an endpoint or a job is left, or was created since `found` was listed.
    """
    shared = [resource for resource in selected if resource.kind in SHARED]
    own = [resource for resource in selected if resource not in shared]
    failures = remove(aws, own, deletions, scope.command)
    if not shared:
        return failures
    users = [failure.resource for failure in failures if failure.resource.kind in USERS_OF_SHARED]
    known = {(resource.name, resource.created) for resource in found.resources}
    listed = inventory.take(aws.account, None, inventory.HOURLY).resources
    users += [resource for resource in listed if (resource.name, resource.created) not in known]
    if users:
        return [*failures, *(DeletionFailure(resource, f"{users[0].label} may use it.") for resource in shared)]
    return [*failures, *remove(aws, shared, deletions, scope.command)]


def _late_logs(after: Inventory, scope: Scope) -> list[Resource]:
    """Return the logs to delete that began during the teardown, as that of an endpoint that was being created."""
    return [resource for resource in select_for_deletion(after, scope, datetime.now(UTC)) if resource.kind in LOGS]


def kept_sentences(found: Inventory, scope: Scope) -> Iterator[str]:
    """Yield why each selected resource is kept: shared resources, and resources that endpoints may use."""
    if scope.is_partial:
        return
    why = why_shared_are_kept(found, scope.stage)
    shared = [
        resource for resource in found.of(*SHARED) if resource.kind in scope.kinds and not resource.is_foreign_bucket
    ]
    yield from (f"{resource.label}: {why}" for resource in shared if why)
    if found.is_unread(ENDPOINTS):
        used = [resource for resource in found.of(*USED_BY_ENDPOINTS) if scope.stage in (None, resource.stage)]
        yield from (f"{resource.label}: Kept: the endpoints could not be listed, and may use it." for resource in used)


def _propose(aws: Aws, selected: Sequence[Resource], scope: Scope, yes: bool) -> None:
    """Print what will be deleted, and ask for confirmation."""
    where = f"stage {scope.stage}" if scope.stage else "all stages"
    aws.print(f"To be deleted in {aws.account.region}, {where}:")
    for resource in selected:
        aws.print(resource.line_with_cost)
    aws.print(prices.SOURCE)
    if any(resource.kind == Kind.BUCKET for resource in selected):
        aws.print("The bucket contains all deployed releases. They cannot be restored.")
    if any(resource.kind == Kind.FEEDBACK_TABLE for resource in selected):
        aws.print("The table contains what people have sent. DynamoDB keeps a backup of it for 35 days.")
    plan.confirm("Delete all of this?", yes)


def all_deletions(delete_app: Deletion = delete_app) -> dict[Kind, Deletion]:
    """Return the deletion function of each kind, in order: the app before the endpoints that it calls."""
    return {Kind.APP: delete_app, **DELETIONS}
