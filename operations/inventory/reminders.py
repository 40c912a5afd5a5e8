"""What should not be forgotten: what has expired, and what is billed by the hour for more than a day."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.resources import Resource

LONG = timedelta(days=1)


def reminders(aws: Aws, now: datetime) -> list[str]:
    """Look at all stages and return a sentence for each thing; never raises, so any command may end with it."""
    try:
        found = inventory.take(aws.account, None, inventory.BY_THE_HOUR)
    except (ClientError, BotoCoreError) as error:
        return [f"What else is running could not be looked up ({error}). Look later: verdict status"]
    unread = [f"Could not be looked up: {sentence}" for sentence in found.unread]
    return [*of(found.resources, now), *unread]


def remind(aws: Aws) -> None:
    """End a command with what should not be forgotten."""
    for sentence in reminders(aws, datetime.now(UTC)):
        aws.say(sentence)


def of(found: Sequence[Resource], now: datetime) -> list[str]:
    """Return the sentences about what was found."""
    return [sentence for resource in found for sentence in _about(resource, now)]


def _about(resource: Resource, now: datetime) -> Iterator[str]:
    command = f"verdict teardown {resource.whose}"
    what = f"{resource.kind.capitalize().replace('-', ' ')} {resource.name}"
    if resource.expires and resource.has_expired(now):
        ago = span(now - resource.expires)
        yield f"{what} expired {ago} ago and is still there ({resource.price}): {command} --expired"
    elif resource.is_hourly and resource.created and now - resource.created > LONG:
        running = span(now - resource.created)
        yield f"{what} has been running for {running} ({resource.price}). To end it: {command}"


def span(time: timedelta) -> str:
    """Write a length of time by its largest unit: `42 s`, `5 min`, `3 h`, `12 days`."""
    seconds = max(int(time.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86_400} days"
