"""What is left after a teardown, counted anew: the proof that nothing is billed, or the names of what still is."""

from collections.abc import Iterator

from operations.aws.account import Account
from operations.aws.names import APP_TAG
from operations.inventory.descriptions import about, cost
from operations.inventory.inventory import Inventory
from operations.inventory.resources import (
    ALARM,
    APP,
    BILLED,
    BUCKET,
    ENDPOINT,
    JOBS,
    LOG_GROUP,
    LOG_STREAMS,
    SHARED,
    TRANSFORMED,
    Resource,
)
from operations.inventory.search import stage_of
from operations.teardown import shared_resources

_COUNTED = {
    "endpoints": (ENDPOINT,),
    "jobs running": JOBS,
    "apps": (APP,),
    "alarms": (ALARM,),
    "logs": (LOG_GROUP, LOG_STREAMS),
    "transform output": (TRANSFORMED,),
    "buckets": (BUCKET,),
}
_KEPT = {  # kind -> what deletes it
    BUCKET: "--with bucket",
    LOG_GROUP: "--with logs",
    LOG_STREAMS: "--with logs",
    APP: "--app",
}


def sentences(account: Account, found: Inventory, stage: str | None) -> Iterator[str]:
    """Say what is left: of the stage (None: all), what the stages share, and what other stages have.

    Nothing is claimed about what could not be listed, and what is billed and may be ours is named.
    """
    where = f"in {account.region} of account {account.number}"
    strangers = list(_billed_strangers(found, stage))
    mine = [one for one in found.billed if stage in (None, one.stage) or not one.stage]
    counts = ", ".join(f"{name} {len(found_of(mine, kinds))}" for name, kinds in _COUNTED.items())
    whose = f" for stage {stage}" if stage else ""
    if mine:
        yield f"Left{whose} {where}: {counts}."
        yield from (_kept(one, stage, shared_resources.why_kept(found, stage)) for one in mine)
    elif not found.unread:
        marked = f" and carries the tag {APP_TAG}" if strangers else ""
        yield f"Nothing that is billed{marked} is left{whose} {where}: {counts}."
    yield from strangers
    yield from (f"Could not be looked up, and may be there: {one}" for one in found.unread)
    others = [one for one in found.billed if one.stage and stage not in (None, one.stage)]
    for other in dict.fromkeys(one.stage for one in others):
        things = [one for one in others if one.stage == other]
        yield f"Stage {other} goes on: {', '.join(f'{one.kind} {one.name} ({cost(one)})' for one in things)}."


def found_of(resources: list[Resource], kinds: tuple[str, ...]) -> list[Resource]:
    """Return those of some kinds."""
    return [one for one in resources if one.kind in kinds]


def _billed_strangers(found: Inventory, stage: str | None) -> Iterator[str]:
    """Name what may be billed and has a name of ours without the tag: nobody's to delete but its owner's."""
    for kind, name in (one.split(" ", 1) for one in found.strangers):
        if kind in (*BILLED, "function") and stage in (None, stage_of(name)):
            yield (
                f"Not deleted, and may be billed: {kind} {name}. It is named like this project's, but has no tag "
                f"{APP_TAG}. If it is yours and not needed, delete it yourself."
            )


def _kept(resource: Resource, stage: str | None, why_shared: str) -> str:
    """Say of one thing what it costs, and how it goes; `why_shared` says why what is shared stays."""
    told = f"  {resource.kind} {resource.name}: {', '.join(part for part in (about(resource), cost(resource)) if part)}"
    if resource.kind == BUCKET and not resource.facts["ours"]:
        return f"{told}. It is yours by VERDICT_BUCKET, and kept."
    if resource.kind in SHARED and why_shared:
        return f"{told}. {why_shared}"
    how, which = _KEPT.get(resource.kind, ""), f"--stage {stage}" if stage else "--all-stages"
    return f"{told}. " + (f"Kept; it goes with `verdict teardown {which} {how}`." if how else "Still there.")
