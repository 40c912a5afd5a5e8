"""Step `retire`: endpoints that nobody asks any more go, once the app has moved on to another.

A release with another vocabulary has an endpoint of its own. After `chalice deploy` has switched the app to it, the old
one may still be asked by functions that are under way: it stays until CloudWatch has counted nothing for a while. A
quiet app is no proof that it has moved on: as long as it was not deployed after the new endpoint was made, or after a
rollback to an older one, nothing goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import release
from operations.aws import names, plan
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there
from operations.inventory import inventory
from operations.inventory.inventory import Inventory
from operations.inventory.resources import ENDPOINT
from operations.teardown.deletions import DELETIONS
from operations.teardown.idle import Use, use_of
from operations.teardown.removal import DeletionFailure, remove
from operations.teardown.teardown import with_all_of_it
from training.progress import table

LOOKED_AT = ("endpoints", "autoscaling", "alarms", "configurations", "models")
LEAST_IDLE = timedelta(minutes=5)  # what CloudWatch has counted, it tells some minutes late


@dataclass(frozen=True)
class Packaged:
    """The packaged release: its vocabulary's fingerprint, and when its files came to this machine."""

    fingerprint: str
    since: datetime

    @classmethod
    def read(cls) -> "Packaged":
        """Look at the packaged release."""
        fingerprint = release.load().facts.vocabulary_fingerprint
        written = (release.PACKAGED / release.FACTS_NAME).stat().st_mtime
        return cls(fingerprint, datetime.fromtimestamp(written, UTC))


@dataclass(frozen=True)
class Needed:
    """The endpoints that are needed, by name; and what must be done before any other may go, "" for nothing."""

    endpoints: frozenset[str]
    hold: str = ""


@dataclass(frozen=True)
class Retired:
    """The endpoints that were deleted; those that are used, or may be, with invocations and reasons; what is left."""

    deleted: tuple[str, ...]
    used: tuple[Use, ...]
    left: tuple[DeletionFailure, ...] = ()


def needed(account: Account, found: Inventory, stage: str, packaged: Packaged) -> Needed:
    """Say which endpoints are needed: the packaged release's, and the one that the deployed app asks.

    An app says which one it asks by `ENDPOINT_NAME`. One that does not asks the endpoint of the release it was
    deployed with: the packaged one's only if that was there before the app was deployed for the last time.
    """
    name = names.endpoint(stage, packaged.fingerprint)
    function = if_there(account.client("lambda").get_function, FunctionName=f"{names.APP}-{stage}")
    if not function:
        return Needed(frozenset((name,)))  # who asks an endpoint is then known by its invocations alone
    environment: Mapping[str, str] = function["Configuration"].get("Environment", {}).get("Variables", {})
    stated = environment.get("ENDPOINT_NAME")
    if stated:
        return Needed(frozenset((name, stated)))
    since = _since(found, name, packaged)
    if not since:
        return Needed(frozenset((name,)), f"{name} is not there yet: verdict update --stage {stage}")
    if _deployed(function) <= since:
        return Needed(frozenset((name,)), f"the app must move on first: chalice deploy --stage {stage}")
    return Needed(frozenset((name,)))


def _since(found: Inventory, name: str, packaged: Packaged) -> datetime | None:
    """Return since when a deployed app asks an endpoint, None where it is absent.

    It does so since the endpoint was made; where another is younger, since a rollback brought its release back.
    """
    made = {one.name: one.created for one in found.of(ENDPOINT) if one.created}
    if name not in made:
        return None
    return max(made[name], packaged.since) if made[name] < max(made.values()) else made[name]


def _deployed(function: Mapping[str, Any]) -> datetime:
    """Return when a function was last changed: `2026-11-25T00:30:00.000+0000`."""
    return datetime.fromisoformat(function["Configuration"]["LastModified"])


def uses(account: Account, found: Inventory, need: Needed, idle: timedelta, now: datetime) -> list[Use]:
    """Say of each endpoint that is not needed how much it is used."""
    others = [one for one in found.of(ENDPOINT) if one.name not in need.endpoints]
    if need.hold:
        return [Use(one, None, "the app may still ask it") for one in others]
    return [use_of(account, one, idle, now) for one in others]


def retire(aws: Aws, stage: str, packaged: Packaged, idle: timedelta, yes: bool) -> Retired:
    """Show which endpoints beside the packaged release's are used, ask, and delete the others with all of theirs."""
    found = inventory.take(aws.account, stage, LOOKED_AT)
    need = needed(aws.account, found, stage, packaged)
    seen = uses(aws.account, found, need, idle, datetime.now(UTC))
    if not seen:
        aws.say(f"Stage {stage} has no endpoint but those that are needed: {', '.join(sorted(need.endpoints))}.")
        return Retired((), ())
    aws.console.print(table(f"Endpoints of stage {stage} that the packaged release does not ask", map(described, seen)))
    if need.hold:
        aws.say(f"Nothing goes yet: {need.hold}")
    going = [use.endpoint for use in seen if use.is_idle]
    if going:
        plan.ask("Delete those that go?", yes)
    things = [thing for one in going for thing in with_all_of_it(found, one)]
    left = remove(aws, things, DELETIONS, f"verdict retire --stage {stage}")
    kept = {one.resource.name for one in left}
    deleted = tuple(one.name for one in going if one.name not in kept)
    return Retired(deleted, tuple(use for use in seen if not use.is_idle), tuple(left))


def described(use: Use) -> tuple[str, str, str]:
    """Describe one endpoint's use for the table."""
    counted = use.why or f"{use.invocations:,} invocations"
    return use.endpoint.name, counted, "goes" if use.is_idle else "stays"
