"""The step `logs`: log events of an endpoint, the app or a job; with --follow, new events as they arrive."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, is_absent
from operations.aws.listing import list_all
from operations.endpoint import endpoint_state
from operations.inventory.ownership import APP_LOGS, ENDPOINT_LOGS
from operations.inventory.resources import Kind
from operations.inventory.running_jobs import job_operation
from operations.inventory.supporting_resources import JOB_LOGS

OF_ENDPOINT, OF_APP, OF_JOB = "endpoint", "app", "job"
POLL_SECONDS = 2.0
MAX_DELAY = timedelta(seconds=30)  # of an event that arrives after newer ones
_JOB_STREAMS = {  # kind -> group, and what follows the job's name in the names of its streams
    Kind.TRAINING_JOB: (JOB_LOGS[Kind.TRAINING_JOB], "/"),
    Kind.TRANSFORM_JOB: (JOB_LOGS[Kind.TRANSFORM_JOB], "/"),
    Kind.TUNING_JOB: (JOB_LOGS[Kind.TRAINING_JOB], "-"),  # its training jobs' names begin with its own
}


@dataclass(frozen=True)
class LogSource:
    """A log group, and the name prefix of the streams in it ("" for all)."""

    group: str
    streams: str = ""


@dataclass(frozen=True)
class LogEvent:
    """One log event."""

    id: str
    time: datetime
    stream: str
    message: str

    def __str__(self) -> str:
        """`2026-11-25T04:00:00Z AllTraffic/i-0abc: message`."""
        return f"{names.utc_text(self.time)} {self.stream}: {self.message.rstrip()}"


def source_of(aws: Aws, stage: str, what: str, name: str) -> LogSource:
    """Return the log of an endpoint, an app or a job; raises `AwsError` if a name is required or does not exist."""
    if what == OF_APP:
        return LogSource(f"{APP_LOGS}{names.APP}-{stage}")
    if what == OF_JOB:
        return _job_source(aws, name)
    return LogSource(f"{ENDPOINT_LOGS}{name or _newest_endpoint(aws, stage)}")


def _newest_endpoint(aws: Aws, stage: str) -> str:
    """Return the name of a stage's newest endpoint."""
    found = endpoint_state.find_all(aws.account, stage)
    if not found:
        raise AwsError(
            f"Stage {stage} has no endpoint. Deploy one with `verdict deploy --stage {stage}`, or show the log of a "
            "deleted one with `verdict logs endpoint NAME`.",
            "absent",
        )
    if len(found) > 1:
        others = ", ".join(endpoint.name for endpoint in found[1:])
        aws.print(f"This is the newest endpoint, {found[0].name}. Others: {others}")
    return found[0].name


def _job_source(aws: Aws, name: str) -> LogSource:
    """Return the log of a job, whose kind is looked up."""
    if not name:
        raise AwsError("Name the job: verdict logs job NAME. `verdict status` lists running jobs.", "no-name")
    for kind, (group, separator) in _JOB_STREAMS.items():
        if if_there(job_operation(aws.account, "Describe", kind, name)):
            return LogSource(group, f"{name}{separator}")
    raise AwsError(f"There is no job {name} in {aws.account.region}.", "absent")


def events(account: Account, source: LogSource, since: datetime) -> list[LogEvent] | None:
    """Return the events since a time, oldest first; None if the log group or stream does not exist."""
    request: dict[str, Any] = {"logGroupName": source.group, "startTime": int(since.timestamp() * 1000)}
    if source.streams:
        request["logStreamNamePrefix"] = source.streams
    try:
        listed = list(list_all(account, "logs", "filter_log_events", "events", **request))
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    found = [_event(event) for event in listed if event["logStreamName"].startswith(source.streams)]
    return sorted(found, key=lambda event: event.time)


def _event(event: dict[str, Any]) -> LogEvent:
    """Convert an event of CloudWatch Logs."""
    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return LogEvent(event["eventId"], moment, event["logStreamName"], event["message"])


def follow(
    account: Account, source: LogSource, since: datetime, pause: Callable[[float], None] = time.sleep
) -> Iterator[LogEvent]:
    """Yield the events since a time, then new events as they arrive, each once, without end."""
    seen: dict[str, datetime] = {}
    while True:
        for event in events(account, source, since) or ():
            if event.id not in seen:
                seen[event.id] = event.time
                yield event
        since = max(since, max(seen.values(), default=since) - MAX_DELAY)
        seen = {event_id: moment for event_id, moment in seen.items() if moment >= since}
        pause(POLL_SECONDS)


def show(aws: Aws, source: LogSource, since: datetime, say: Callable[[str], None]) -> None:
    """Print the events since a time, or that there are none."""
    found = events(aws.account, source, since)
    where = f"{source.group}{f', streams {source.streams}...' if source.streams else ''}"
    if found is None:
        aws.print(f"There is no log yet in {where}. It is created with its first event; --follow waits for it.")
    elif not found:
        aws.print(f"Nothing was logged in {where} since {names.utc_text(since)}. Start earlier with --since 1d.")
    for event in found or ():
        say(str(event))


def keep_showing(aws: Aws, source: LogSource, since: datetime, say: Callable[[str], None]) -> None:
    """Print the events since a time and new ones, until Ctrl-C."""
    aws.print(f"{source.group} (press Ctrl-C to stop)")
    try:
        for event in follow(aws.account, source, since, aws.pause):
            say(str(event))
    except KeyboardInterrupt:
        aws.print("")
