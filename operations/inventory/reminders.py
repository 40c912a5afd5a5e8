"""Reminders of resources that have expired, or have been billed by the hour for more than a day."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.resources import JOBS, Resource

LONG = timedelta(days=1)


def remind(aws: Aws) -> None:
    """Print the reminders, at the end of a command."""
    for sentence in current_reminders(aws, datetime.now(UTC)):
        aws.print(sentence)


def current_reminders(aws: Aws, now: datetime) -> list[str]:
    """Search all stages and return the reminders. AWS errors are reported as a reminder, and not raised."""
    try:
        found = inventory.take(aws.account, None, inventory.HOURLY)
    except (ClientError, BotoCoreError) as error:
        return [f"Other running resources could not be listed ({error}). Check later: verdict status"]
    return [*reminders_of(found.resources, now), *(f"Could not be listed: {reason}" for reason in found.unread)]


def reminders_of(resources: Sequence[Resource], now: datetime) -> list[str]:
    """Return the reminders of these resources."""
    return [sentence for resource in resources for sentence in _reminders(resource, now)]


def _reminders(resource: Resource, now: datetime) -> Iterator[str]:
    command = f"verdict teardown {resource.stage_option}"
    subject = f"{resource.kind.capitalize().replace('-', ' ')} {resource.name}"
    if resource.expires and resource.has_expired(now):
        since = format_duration(now - resource.expires)
        yield f"{subject} expired {since} ago and still exists ({resource.price}). Delete it: {command} --expired"
    elif resource.is_hourly and resource.created and now - resource.created > LONG:
        running = format_duration(now - resource.created)
        remedy = f"Stop it: {command} --jobs" if resource.kind in JOBS else f"Delete it: {command}"
        yield f"{subject} has been running for {running} ({resource.price}). {remedy}"


def format_duration(duration: timedelta) -> str:
    """Format a duration in its largest unit: `42 s`, `5 min`, `3 h`, `12 days`."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86_400} days"
