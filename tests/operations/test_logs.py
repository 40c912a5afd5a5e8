"""The `logs` step shows events of the requested log."""

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.logs import LogSource, events, follow, keep_showing, show, source_of
from tests.operations.existing import create_endpoint, printed

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
GROUPS = (f"/aws/lambda/verdict-t{number}" for number in itertools.count())


@pytest.fixture
def group(aws: Aws) -> str:
    """A log group with two streams."""
    name = next(GROUPS)
    logs = aws.account.client("logs")
    logs.create_log_group(logGroupName=name)
    for stream in ("v1/i-1", "v2/i-2"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return name


def log(aws: Aws, group: str, stream: str, *messages: str, ago: float = 0) -> None:
    """Log some events, `ago` seconds ago."""
    at = int((time.time() - ago) * 1000)
    entries = [{"timestamp": at, "message": message} for message in messages]
    aws.account.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=entries)


def test_events_of_all_variants_are_shown_in_order_of_time(aws: Aws, group: str) -> None:
    log(aws, group, "v2/i-2", "third", ago=1)
    log(aws, group, "v1/i-1", "first", ago=3)
    log(aws, group, "v2/i-2", "second", ago=2)
    lines: list[str] = []
    show(aws, LogSource(group), HOUR_AGO, lines.append)
    assert [line.partition(" ")[2] for line in lines] == ["v1/i-1: first", "v2/i-2: second", "v2/i-2: third"]


def test_older_events_are_not_shown(aws: Aws, group: str) -> None:
    log(aws, group, "v1/i-1", "old", ago=7200)
    lines: list[str] = []
    show(aws, LogSource(group), HOUR_AGO, lines.append)
    assert lines == []
    assert "Nothing was logged in" in printed(aws)


def test_a_missing_log_is_reported(aws: Aws) -> None:
    show(aws, LogSource("/aws/lambda/verdict-absent"), HOUR_AGO, print)
    assert "There is no log yet in /aws/lambda/verdict-absent" in printed(aws)


def test_following_yields_each_event_once(aws: Aws, group: str) -> None:
    log(aws, group, "v1/i-1", "one")
    pauses = itertools.count()

    def pause(_seconds: float) -> None:
        if next(pauses) == 1:
            log(aws, group, "v2/i-2", "two")

    found = follow(aws.account, LogSource(group), HOUR_AGO, pause)
    assert [next(found).message, next(found).message] == ["one", "two"]


def test_ctrl_c_stops_following(aws: Aws, group: str) -> None:
    log(aws, group, "v1/i-1", "one")
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    keep_showing(aws, LogSource(group), HOUR_AGO, say)
    assert len(lines) == 1


def test_a_jobs_events_exclude_those_of_a_job_with_a_longer_name(aws: Aws, group: str) -> None:
    logs = aws.account.client("logs")
    for stream in ("job-1/algo-1", "job-12/algo-1"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        log(aws, group, stream, stream)
    found = events(aws.account, LogSource(group, "job-1/"), HOUR_AGO)
    assert found is not None
    assert [event.message for event in found] == ["job-1/algo-1"]


def test_the_stages_newest_endpoint_is_the_default(aws: Aws) -> None:
    create_endpoint(aws, "logged", fingerprint="aaaaaaaaaaaa", wait=False)
    newest = create_endpoint(aws, "logged", fingerprint="bbbbbbbbbbbb", wait=False)
    assert source_of(aws, "logged", "endpoint", "") == LogSource(f"/aws/sagemaker/Endpoints/{newest}")
    assert "Others: verdict-logged-aaaaaaaaaaaa" in printed(aws)
    assert source_of(aws, "logged", "app", "") == LogSource("/aws/lambda/verdict-logged")


def test_a_missing_endpoint_or_job_is_an_error(aws: Aws) -> None:
    for what, name, kind in (("endpoint", "", "absent"), ("job", "", "no-name"), ("job", "verdict-nothing", "absent")):
        with pytest.raises(AwsError) as caught:
            source_of(aws, "empty", what, name)
        assert caught.value.kind == kind
