"""The step `status`: all resources by stage, with states, ages, costs and the verdicts of the last day; reminders."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from chalicelib import release
from chalicelib.errors import ReleaseError
from operations import last_day
from operations.aws import names, prices
from operations.aws.account import Account
from operations.endpoint import transition
from operations.endpoint.endpoint_state import MOVING, DeployedVariant
from operations.inventory.costs import format_usd, month_to_date
from operations.inventory.inventory import ENDPOINTS, Inventory
from operations.inventory.reminders import format_duration, reminders_of
from operations.inventory.resources import JOBS, Kind, Resource

ABSENT, UNKNOWN = "absent", "unknown"  # states of an endpoint that was not found


def report(account: Account, found: Inventory, now: datetime, fingerprint: str) -> dict[str, Any]:
    """Return the status as JSON data."""
    return {
        "account": account.number,
        "region": account.region,
        "time": names.utc_text(now),
        "resources": [_document(account, resource, now) for resource in found.resources],
        "usd_per_hour": found.hourly_price.usd_per_hour,
        "prices": prices.SOURCE,
        "asked_by_the_app": {stage: app_endpoint(found, stage, fingerprint) for stage in found.stages},
        "verdicts_last_day": {
            stage: last_day.document(last_day.read_last_day(account, stage, now), last_day.training_figures())
            for stage in _serving_stages(found)
        },
        "reminders": reminders_of(found.resources, now),
        "unread": list(found.unread),
        "untagged": list(found.untagged),
    }


def _document(account: Account, resource: Resource, now: datetime) -> dict[str, Any]:
    """Return a resource as JSON data."""
    document = asdict(resource)
    times = {name: document[name] and names.utc_text(document[name]) for name in ("created", "expires")}
    cost = month_to_date(account, resource, now) if resource.kind in (Kind.ENDPOINT, *JOBS) else None
    return {**document, **times, "usd_this_month": cost}


def app_endpoint(found: Inventory, stage: str, fingerprint: str) -> dict[str, Any]:
    """Return the name and state of the endpoint that an app with the packaged release calls.

    The state is "absent" if it does not exist, and "unknown" if the endpoints could not be listed.
    """
    name = names.endpoint(stage, fingerprint)
    states = [endpoint.state for endpoint in found.of(Kind.ENDPOINT) if endpoint.name == name]
    missing = UNKNOWN if found.is_unread(ENDPOINTS) else ABSENT
    return {"endpoint": name, "state": states[0] if states else missing}


def show(account: Account, found: Inventory, now: datetime, fingerprint: str, say: Callable[[str], None]) -> None:
    """Print each stage's resources, the shared resources, the reminders, and the total price."""
    if not found.resources:
        say(f"Verdict has no resources in {account.region} of account {account.number}.")
    for stage in found.stages:
        of_stage = replace(found, resources=tuple(resource for resource in found.resources if resource.stage == stage))
        for line in _stage_lines(account, of_stage, stage, now, fingerprint):
            say(line)
    shared = [resource.line for resource in found.resources if not resource.stage]
    for line in ["Shared by all stages:", *shared] if shared else []:
        say(line)
    unread = [f"Could not be listed: {reason}" for reason in found.unread]
    for sentence in (*reminders_of(found.resources, now), *unread):
        say(f"! {sentence}")
    if found.resources:
        say(f"Total by the hour: {found.hourly_price}. {prices.SOURCE}")


def _stage_lines(account: Account, found: Inventory, stage: str, now: datetime, fingerprint: str) -> Iterator[str]:
    """Yield the lines about a stage: endpoints, jobs, other resources, and the endpoint that its app calls."""
    yield f"Stage {stage}:"
    for endpoint in found.of(Kind.ENDPOINT):
        yield from _endpoint_lines(account, endpoint, now)
    for job in found.jobs:
        cost = format_usd(month_to_date(account, job, now))
        yield f"  {job.label}: {job.state}, {age(job, now)} old, {job.cost}, {cost} this month"
    yield from (resource.line for resource in found.resources if resource.kind not in (Kind.ENDPOINT, *JOBS))
    yield f"  {_app_endpoint_sentence(found, stage, fingerprint)}"
    if stage in _serving_stages(found):
        yield from last_day.lines(last_day.read_last_day(account, stage, now), last_day.training_figures())


def _serving_stages(found: Inventory) -> list[str]:
    """Return the stages that have an endpoint."""
    return sorted({endpoint.stage for endpoint in found.of(Kind.ENDPOINT)})


def _app_endpoint_sentence(found: Inventory, stage: str, fingerprint: str) -> str:
    """Return a sentence about the endpoint that the stage's app calls."""
    wanted = app_endpoint(found, stage, fingerprint)
    subject = f"The packaged release uses {wanted['endpoint']}"
    if wanted["state"] == UNKNOWN:
        return f"{subject}: unknown, because the endpoints could not be listed."
    if wanted["state"] == ABSENT:
        return f"{subject}, which does not exist. Deploy it: verdict deploy --stage {stage}"
    return f"{subject}: {wanted['state']}."


def _endpoint_lines(account: Account, endpoint: Resource, now: datetime) -> Iterator[str]:
    """Yield the lines about an endpoint: state, cost, why it failed, and one line per variant."""
    total = sum(variant.weight for variant in endpoint.variants) or 1.0
    until = f", expires {names.utc_text(endpoint.expires)}" if endpoint.expires else ""
    yield f"  {endpoint.label}: {endpoint.state}, release {endpoint.release}, {age(endpoint, now)} old{until}"
    if endpoint.cost:
        yield f"    {endpoint.cost}; {format_usd(month_to_date(account, endpoint, now))} this month so far"
    if is_interrupted(endpoint):
        yield "    an update was interrupted: repeat it"
    if endpoint.facts.get("why"):
        yield f"    {endpoint.facts['why']}"
    yield from (f"    variant {_share(variant, total)}" for variant in endpoint.variants)


def is_interrupted(endpoint: Resource) -> bool:
    """Return whether an update of a stable endpoint was interrupted before its tags were set."""
    changed = transition.is_interrupted(endpoint.tags, endpoint.facts.get("configuration", ""))
    return changed and endpoint.state not in MOVING


def _share(variant: DeployedVariant, total: float) -> str:
    """`trees 90%, 2 x ml.m5.large`, with the target weight while the weights shift."""
    moving = f" (to weight {variant.desired_weight:g})" if variant.desired_weight != variant.weight else ""
    return f"{variant.name} {variant.weight / total:.0%}{moving}, {variant.machines}"


def age(resource: Resource, now: datetime) -> str:
    """Return a resource's age as text, "" if unknown."""
    return format_duration(now - resource.created) if resource.created else ""


def packaged_fingerprint() -> str:
    """Return the fingerprint of the packaged release's vocabulary, "" if the release is absent or invalid."""
    try:
        return release.load().facts.vocabulary_fingerprint
    except ReleaseError:
        return ""
