"""Step `teardown`: deletes what these commands made, in the right order, and proves that nothing billed is left.

It lists first and asks. Whatever interrupts it, the same command again finishes: what exists is asked of AWS each time.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.errors import SentimentError
from operations.aws import plan, prices
from operations.aws.command import Aws
from operations.aws.names import DEFAULT_STAGE
from operations.inventory import inventory
from operations.inventory.descriptions import about, cost
from operations.inventory.inventory import ENDPOINTS, Inventory
from operations.inventory.resources import (
    ALARM,
    APP,
    BUCKET,
    CONFIGURATION,
    ENDPOINT,
    JOBS,
    LOG_GROUP,
    LOG_STREAMS,
    MODEL,
    PACKAGE_GROUP,
    ROLE,
    SCALING,
    SHARED,
    TRANSFORMED,
    Resource,
)
from operations.teardown import shared_resources, verification
from operations.teardown.app_deletion import delete_app
from operations.teardown.deletions import DELETIONS, Deletion
from operations.teardown.removal import DeletionFailure, remove

OF_ENDPOINT = (SCALING, ALARM, ENDPOINT, CONFIGURATION, MODEL)
USED = (SCALING, ALARM, CONFIGURATION, MODEL)  # by endpoints
ALWAYS = (*OF_ENDPOINT, *JOBS, TRANSFORMED)
OPTIONAL = {"bucket": (BUCKET,), "role": (ROLE,), "logs": (LOG_GROUP, LOG_STREAMS), "packages": (PACKAGE_GROUP,)}


class LeftOverError(SentimentError):
    """Something could not be deleted."""

    type = "left-over"
    title = "Not everything could be deleted"


class UnreadError(SentimentError):
    """Something could not be looked up, so that nobody knows whether it is there and billed."""

    type = "unread"
    title = "Not everything could be looked up"


@dataclass(frozen=True)
class Scope:
    """What is to go: of a stage, or (None) of all; `optional` names what else, by the keys of `OPTIONAL`."""

    stage: str | None = DEFAULT_STAGE
    expired_only: bool = False
    optional: tuple[str, ...] = ()
    app: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of things that go."""
        more = tuple(kind for name in self.optional for kind in OPTIONAL[name])
        return (*ALWAYS, *((APP,) if self.app else ()), *more)

    @property
    def command(self) -> str:
        """The command line that this is."""
        stage = ["--stage", self.stage] if self.stage else ["--all-stages"]
        more = [*(["--expired"] if self.expired_only else []), *([] if self.app else ["--no-app"])]
        optional = ["--with", ",".join(self.optional)] if self.optional else []
        return shlex.join(["verdict", "teardown", *stage, *more, *optional])


def select_for_deletion(found: Inventory, scope: Scope, now: datetime) -> list[Resource]:
    """Choose what will be deleted.

    What the stages share stays while another stage has, or may have, anything; what endpoints use stays while these
    could not be listed.
    """
    of_scope = [one for one in found.resources if scope.stage in (None, one.stage) or not one.stage]
    if scope.expired_only:
        expired = [one for one in of_scope if one.kind == ENDPOINT and one.has_expired(now)]
        return [one for endpoint in expired for one in with_all_of_it(found, endpoint)]
    kept = (
        *(SHARED if shared_resources.why_kept(found, scope.stage) else ()),
        *(USED if found.is_unread(ENDPOINTS) else ()),
    )
    return [one for one in of_scope if one.kind in scope.kinds and one.kind not in kept and not _is_the_users_own(one)]


def _is_the_users_own(resource: Resource) -> bool:
    """Tell whether it is a bucket that VERDICT_BUCKET names."""
    return resource.kind == BUCKET and not resource.facts["ours"]


def with_all_of_it(found: Inventory, endpoint: Resource) -> list[Resource]:
    """Return an endpoint and what belongs to it alone: its alarms, autoscaling, configurations and models."""
    return [
        one
        for one in found.of(*OF_ENDPOINT)
        if one.name.startswith(f"{endpoint.name}-") or endpoint.name in (one.name, one.facts.get("endpoint"))
    ]


def teardown(aws: Aws, scope: Scope, yes: bool, deletions: Mapping[str, Deletion]) -> Inventory:
    """List, ask, delete, prove; returns what exists afterwards.

    Raises `LeftOverError` when something was refused, and `UnreadError` when something could not be looked up.
    """
    found = inventory.take(aws.account)
    going = select_for_deletion(found, scope, datetime.now(UTC))
    left: list[DeletionFailure] = []
    for sentence in held_back(found, scope):
        aws.say(sentence)
    if going:
        _propose(aws, going, scope, yes)
        left = remove(aws, going, deletions, scope.command)
    else:
        aws.say("There is nothing to delete.")
    after = inventory.take(aws.account)
    for sentence in verification.sentences(aws.account, after, scope.stage):
        aws.say(sentence)
    if left:
        raise LeftOverError(_told(left, scope))
    if after.unread:
        missed = ", ".join(one.partition(": ")[0] for one in after.unread)  # the proof has said why
        raise UnreadError(
            f"Not everything could be looked up ({missed}), so more may be there. "
            f"Once that is cured, the same again: {scope.command}"
        )
    return after


def held_back(found: Inventory, scope: Scope) -> Iterator[str]:
    """Say of each thing that was asked for and is kept why that is: what is shared, and what endpoints may use."""
    why = "" if scope.expired_only else shared_resources.why_kept(found, scope.stage)
    wanted = [one for one in found.of(*SHARED) if one.kind in scope.kinds and not _is_the_users_own(one)]
    yield from (f"{one.kind} {one.name}: {why}" for one in wanted if why)
    if found.is_unread(ENDPOINTS) and not scope.expired_only:
        used = [one for one in found.of(*USED) if scope.stage in (None, one.stage)]
        yield from (f"{one.kind} {one.name}: Kept: the endpoints could not be listed, and may use it." for one in used)


def _propose(aws: Aws, going: Sequence[Resource], scope: Scope, yes: bool) -> None:
    """Show what will be deleted, and ask."""
    where = f"stage {scope.stage}" if scope.stage else "all stages"
    aws.say(f"To be deleted in {aws.account.region}, {where}:")
    for one in going:
        told = ", ".join(part for part in (about(one), cost(one)) if part)
        aws.say(f"  {one.kind} {one.name}{f': {told}' if told else ''}")
    aws.say(prices.source())
    if BUCKET in (one.kind for one in going):
        aws.say("With the bucket go all releases that were deployed: there is no way back to them.")
    plan.ask("Delete all of this?", yes)


def _told(left: Sequence[DeletionFailure], scope: Scope) -> str:
    """Say in one sentence each what is left and why, and how to try again."""
    each = "".join(f"\n  {one.resource.kind} {one.resource.name}: {one.why}" for one in left)
    return f"Not everything could be deleted:{each}\nOnce that is cured, the same again: {scope.command}"


def ways(chalice: Deletion = delete_app) -> dict[str, Deletion]:
    """Return how everything is deleted, in order: the app before the endpoints that it asks."""
    return {APP: chalice, **DELETIONS}
