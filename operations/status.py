"""Step `status`: everything that exists, stage by stage, what it costs, and what has been forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from chalicelib import release
from chalicelib.errors import ReleaseError
from operations.aws import names, prices
from operations.aws.account import Account
from operations.endpoint.endpoint_state import MOVING
from operations.endpoint.transition import UPDATING_TAG
from operations.inventory import reminders
from operations.inventory.descriptions import about, cost
from operations.inventory.inventory import ENDPOINTS, Inventory
from operations.inventory.reminders import span
from operations.inventory.resources import ENDPOINT, JOBS, Resource, Variant
from operations.inventory.spending import dollars, so_far

ABSENT, UNKNOWN = "absent", "unknown"  # states of an endpoint that was not found


def report(account: Account, found: Inventory, now: datetime, fingerprint: str) -> dict[str, Any]:
    """Return what exists as a JSON document: the same that is shown."""
    rows = [_document(account, resource, now) for resource in found.resources]
    return {
        "account": account.number,
        "region": account.region,
        "time": names.moment(now),
        "resources": rows,
        "usd_per_hour": found.by_the_hour.usd_per_hour,
        "prices": prices.table()["date"],
        "asked_by_the_app": {stage: asked(found, stage, fingerprint) for stage in found.stages},
        "reminders": reminders.of(found.resources, now),
        "unread": list(found.unread),
    }


def _document(account: Account, resource: Resource, now: datetime) -> dict[str, Any]:
    """Return one thing as JSON has it."""
    document = asdict(resource)
    moments = {name: names.moment(value) for name in ("created", "expires") if (value := document[name])}
    spent = so_far(account, resource, now) if resource.kind in (ENDPOINT, *JOBS) else None
    return {**document, "created": None, "expires": None, **moments, "usd_this_month": spent}


def asked(found: Inventory, stage: str, fingerprint: str) -> dict[str, Any]:
    """Return the name of the endpoint that an app with the packaged release asks, and its state.

    That is "absent" where it is not there, and "unknown" where the endpoints could not be listed.
    """
    name = names.endpoint(stage, fingerprint)
    states = [endpoint.state for endpoint in found.of(ENDPOINT) if endpoint.name == name]
    missing = UNKNOWN if found.is_unread(ENDPOINTS) else ABSENT
    return {"endpoint": name, "state": states[0] if states else missing}


def show(account: Account, found: Inventory, now: datetime, fingerprint: str, say: Callable[[str], None]) -> None:
    """Tell what each stage has, what they share, what not to forget, and the sum."""
    if not found.resources:
        say(f"Nothing of Verdict exists in {account.region} of account {account.number}.")
    for stage in found.stages:
        of_stage = replace(found, resources=tuple(one for one in found.resources if one.stage == stage))
        for line in _stage_lines(account, of_stage, stage, now, fingerprint):
            say(line)
    shared = [_line(resource) for resource in found.resources if not resource.stage]
    for line in ["Shared by all stages:", *shared] if shared else []:
        say(line)
    for sentence in (*reminders.of(found.resources, now), *(f"Could not be looked up: {one}" for one in found.unread)):
        say(f"! {sentence}")
    if found.resources:
        say(f"Total by the hour: {found.by_the_hour}. {prices.source()}")


def _stage_lines(account: Account, found: Inventory, stage: str, now: datetime, fingerprint: str) -> Iterator[str]:
    """Yield the lines about a stage: what serves, what runs, what else there is, what its app asks."""
    yield f"Stage {stage}:"
    for endpoint in found.of(ENDPOINT):
        yield from _endpoint_lines(account, endpoint, now)
    for one in found.jobs:
        spent = dollars(so_far(account, one, now))
        yield f"  {one.kind} {one.name}: {one.state}, {age(one, now)} old, {cost(one)}, {spent} this month"
    yield from (_line(one) for one in found.resources if one.kind not in (ENDPOINT, *JOBS))
    yield f"  {_asked_sentence(found, stage, fingerprint)}"


def _asked_sentence(found: Inventory, stage: str, fingerprint: str) -> str:
    """Say whether the endpoint is there that the app would ask."""
    wanted = asked(found, stage, fingerprint)
    if wanted["state"] == UNKNOWN:
        return f"The packaged release asks {wanted['endpoint']}: unknown, as the endpoints could not be listed."
    if wanted["state"] == ABSENT:
        deploy = f"verdict deploy --stage {stage}"
        return f"The packaged release asks {wanted['endpoint']}, which is not there: {deploy}"
    return f"The packaged release asks {wanted['endpoint']}: {wanted['state']}."


def _endpoint_lines(account: Account, endpoint: Resource, now: datetime) -> Iterator[str]:
    """Yield the lines about an endpoint: its state and cost, why it failed, and a line a variant."""
    whole = sum(variant.weight for variant in endpoint.variants) or 1.0
    until = f", expires {names.moment(endpoint.expires)}" if endpoint.expires else ""
    price = cost(endpoint)
    yield f"  endpoint {endpoint.name}: {endpoint.state}, release {endpoint.release}, {age(endpoint, now)} old{until}"
    if price:
        yield f"    {price}; this month so far {dollars(so_far(account, endpoint, now))}"
    if is_interrupted(endpoint):
        yield "    an update was interrupted: repeat it"
    if endpoint.facts.get("why"):
        yield f"    {endpoint.facts['why']}"
    yield from (f"    variant {_share(variant, whole)}" for variant in endpoint.variants)


def is_interrupted(endpoint: Resource) -> bool:
    """Tell whether a change of an endpoint was ordered and not finished: it rests, and still carries the mark."""
    before = endpoint.tags.get(UPDATING_TAG)
    return bool(before) and before != endpoint.facts["configuration"] and endpoint.state not in MOVING


def _share(variant: Variant, whole: float) -> str:
    """`trees 90 %, 2 x ml.m5.large`, and where the weight is to go while it moves."""
    moving = f" (to weight {variant.desired_weight:g})" if variant.desired_weight != variant.weight else ""
    return f"{variant.name} {variant.weight / whole:.0%}{moving}, {variant.machines}"


def age(resource: Resource, now: datetime) -> str:
    """Say how old something is, "" where that is unknown."""
    return span(now - resource.created) if resource.created else ""


def _line(resource: Resource) -> str:
    told = about(resource)
    return f"  {resource.kind} {resource.name}{f': {told}' if told else ''}"


def packaged_fingerprint() -> str:
    """Return the fingerprint of the packaged release, "" when there is none that can be read."""
    try:
        return release.load().facts.vocabulary_fingerprint
    except ReleaseError:
        return ""
