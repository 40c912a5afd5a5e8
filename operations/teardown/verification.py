"""The verification after a teardown: a new inventory that shows what billed resources remain, or that none do."""

from collections.abc import Iterator

from operations.aws.account import Account
from operations.aws.names import APP_TAG
from operations.inventory.inventory import Inventory
from operations.inventory.resources import BILLED, JOBS, SHARED, Kind, Resource
from operations.inventory.search import stage_of

_OF_APPS = ("function", "api")  # kinds of untagged resources that an app may have
_COUNTED = {
    "endpoints": (Kind.ENDPOINT,),
    "jobs running": JOBS,
    "apps": (Kind.APP,),
    "alarms": (Kind.ALARM,),
    "logs": (Kind.LOG_GROUP, Kind.LOG_STREAMS),
    "tables of feedback": (Kind.FEEDBACK_TABLE,),
    "transform output": (Kind.TRANSFORM_OUTPUT,),
    "buckets": (Kind.BUCKET,),
}
_OPTIONS = {
    Kind.BUCKET: "--with bucket",
    Kind.LOG_GROUP: "--with logs",
    Kind.LOG_STREAMS: "--with logs",
    Kind.APP: "--app",
    Kind.FEEDBACK_TABLE: "--with feedback",
}  # of teardown


def sentences(account: Account, found: Inventory, stage: str | None) -> Iterator[str]:
    """Yield sentences about what remains of a stage (None: all), of shared resources, and of other stages.

    Nothing is claimed about resources that could not be listed. Untagged resources that may be ours are named.
    """
    where = f"in {account.region} of account {account.number}"
    untagged = list(_billed_untagged(found, stage))
    remaining = [resource for resource in found.billed if stage in (None, resource.stage) or not resource.stage]
    counts = ", ".join(
        f"{name} {sum(resource.kind in kinds for resource in remaining)}" for name, kinds in _COUNTED.items()
    )
    whose = f" for stage {stage}" if stage else ""
    if remaining:
        yield f"Left{whose} {where}: {counts}."
        yield from (_remaining_line(resource, stage, why_shared_are_kept(found, stage)) for resource in remaining)
    elif not found.unread:
        tagged = f" and carries the tag {APP_TAG}" if untagged else ""
        yield f"Nothing that is billed{tagged} is left{whose} {where}: {counts}."
    yield from untagged
    yield from (f"Could not be listed, and may exist: {reason}" for reason in found.unread)
    yield from _other_stages(found, stage)


def _other_stages(found: Inventory, stage: str | None) -> Iterator[str]:
    """Yield a sentence about the billed resources of each other stage."""
    for other in found.stages if stage else ():
        billed = [
            f"{resource.label} ({resource.cost})" for resource in found.billed if resource.stage == other != stage
        ]
        if billed:
            yield f"Stage {other} still has: {', '.join(billed)}."


def why_shared_are_kept(found: Inventory, stage: str | None) -> str:
    """Return why resources shared by all stages are kept when a stage (None: all) is deleted, "" if they are not.

    What could not be listed may be another stage, whose endpoints need the role and the bucket.
    """
    others = [other for other in found.stages if stage not in (None, other)]
    if others:
        using = f"stage {others[0]} uses" if len(others) == 1 else f"stages {', '.join(others)} use"
        return f"Kept: {using} it. Delete it together with all stages by --all-stages."
    return "Kept: a resource that could not be listed may use it." if found.unread else ""


def _billed_untagged(found: Inventory, stage: str | None) -> Iterator[str]:
    """Yield a sentence about each resource that is named like ours but without our tag, and may be billed."""
    for kind, name in (resource.split(" ", 1) for resource in found.untagged):
        if stage not in (None, stage_of(name.split()[0].rpartition("/")[2])):
            continue
        if kind == "app-role":
            yield (
                f"Not deleted: role {name}. It has no tag {APP_TAG}, and no app in this region uses it. "
                "An app in another region may, because a role belongs to all regions."
            )
        elif kind in (*BILLED, *_OF_APPS):
            yield (
                f"Not deleted, and may be billed: {kind} {name}. Its name is like this project's, but it has no tag "
                f"{APP_TAG}. If it is yours and not needed, delete it yourself."
            )


def _remaining_line(resource: Resource, stage: str | None, why_shared: str) -> str:
    """Return a line about a remaining resource: its cost, and how to delete it or why it is kept."""
    if resource.is_foreign_bucket:
        return f"{resource.line_with_cost}. Kept: VERDICT_BUCKET names it, so it is yours."
    if resource.kind in SHARED and why_shared:
        return f"{resource.line_with_cost}. {why_shared}"
    if resource.kind not in _OPTIONS:
        return f"{resource.line_with_cost}. Not deleted."
    scope = f"--stage {stage}" if stage else "--all-stages"
    return f"{resource.line_with_cost}. Kept. Delete it: verdict teardown {scope} {_OPTIONS[resource.kind]}"
