"""What CloudWatch keeps of a log group, in the order of time; and what comes in, as it comes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.errors import is_absent

PAUSE_SECONDS = 2.0
LATE_SECONDS = 30  # events may come in so much later than others that are newer


@dataclass(frozen=True)
class Source:
    """Where to read: a log group, and what the names of its streams begin with ("" for all)."""

    group: str
    streams: str = ""


@dataclass(frozen=True)
class Event:
    """One line of a log."""

    id: str
    time: datetime
    stream: str
    message: str

    def __str__(self) -> str:
        """`2026-11-25T04:00:00Z AllTraffic/i-0abc: message`."""
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} {self.stream}: {self.message.rstrip()}"


def events(account: Account, source: Source, since: datetime) -> list[Event] | None:
    """Return what was logged since a time, oldest first; None when there is no such log, or no stream in it."""
    request: dict[str, Any] = {"logGroupName": source.group, "startTime": int(since.timestamp() * 1000)}
    if source.streams:
        request["logStreamNamePrefix"] = source.streams
    pages = account.client("logs").get_paginator("filter_log_events").paginate(**request)
    try:
        listed = (one for page in pages for one in page["events"])
        found = [_event(one) for one in listed if one["logStreamName"].startswith(source.streams)]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return sorted(found, key=lambda event: event.time)


def _event(found: dict[str, Any]) -> Event:
    when = datetime.fromtimestamp(found["timestamp"] / 1000, UTC)
    return Event(found["eventId"], when, found["logStreamName"], found["message"])


def follow(
    account: Account, source: Source, since: datetime, pause: Callable[[float], None] = time.sleep
) -> Iterator[Event]:
    """Yield what was logged since a time and then whatever comes in, each once, for ever."""
    seen: dict[str, datetime] = {}
    while True:
        for event in events(account, source, since) or ():
            if event.id not in seen:
                seen[event.id] = event.time
                yield event
        newest = max(seen.values(), default=since)
        since = max(since, datetime.fromtimestamp(newest.timestamp() - LATE_SECONDS, UTC))
        seen = {key: when for key, when in seen.items() if when >= since}
        pause(PAUSE_SECONDS)
