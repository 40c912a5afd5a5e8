"""What `logs` shows, and where it looks."""

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.inventory.log_events import Source, events, follow
from operations.logs import keep_showing, show, source_of
from tests.operations.existing import made_endpoint, printed

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
    """Log some lines, so many seconds ago."""
    at = int((time.time() - ago) * 1000)
    lines = [{"timestamp": at, "message": message} for message in messages]
    aws.account.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=lines)


def test_the_streams_of_all_variants_are_shown_in_the_order_of_time(aws: Aws, group: str) -> None:
    log(aws, group, "v2/i-2", "third", ago=1)
    log(aws, group, "v1/i-1", "first", ago=3)
    log(aws, group, "v2/i-2", "second", ago=2)
    said: list[str] = []
    show(aws, Source(group), HOUR_AGO, said.append)
    assert [line.partition(" ")[2] for line in said] == ["v1/i-1: first", "v2/i-2: second", "v2/i-2: third"]


def test_what_is_older_than_asked_for_is_left_out(aws: Aws, group: str) -> None:
    log(aws, group, "v1/i-1", "old", ago=7200)
    said: list[str] = []
    show(aws, Source(group), HOUR_AGO, said.append)
    assert said == []
    assert "Nothing was logged in" in printed(aws)


def test_a_log_that_is_not_there_yet_is_said_to_be_so(aws: Aws) -> None:
    show(aws, Source("/aws/lambda/verdict-nobody"), HOUR_AGO, print)
    assert "There is no log yet in /aws/lambda/verdict-nobody" in printed(aws)


def test_following_yields_each_line_once_as_it_comes(aws: Aws, group: str) -> None:
    log(aws, group, "v1/i-1", "one")
    pauses = itertools.count()

    def pause(_seconds: float) -> None:
        if next(pauses) == 1:
            log(aws, group, "v2/i-2", "two")

    found = follow(aws.account, Source(group), HOUR_AGO, pause)
    assert [next(found).message, next(found).message] == ["one", "two"]


def test_ctrl_c_ends_the_following_quietly(aws: Aws, group: str) -> None:
    log(aws, group, "v1/i-1", "one")
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        raise KeyboardInterrupt

    keep_showing(aws, Source(group), HOUR_AGO, say)
    assert len(said) == 1


def test_a_jobs_streams_are_told_from_those_of_a_job_whose_name_goes_on(aws: Aws, group: str) -> None:
    logs = aws.account.client("logs")
    for stream in ("job-1/algo-1", "job-12/algo-1"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        log(aws, group, stream, stream)
    found = events(aws.account, Source(group, "job-1/"), HOUR_AGO)
    assert found is not None
    assert [event.message for event in found] == ["job-1/algo-1"]


def test_the_endpoint_that_is_meant_is_the_newest_of_the_stage(aws: Aws) -> None:
    made_endpoint(aws, "logged", fingerprint="aaaaaaaaaaaa", waits=False)
    newest = made_endpoint(aws, "logged", fingerprint="bbbbbbbbbbbb", waits=False)
    assert source_of(aws, "logged", "endpoint", "") == Source(f"/aws/sagemaker/Endpoints/{newest}")
    assert "There are others: verdict-logged-aaaaaaaaaaaa" in printed(aws)
    assert source_of(aws, "logged", "app", "") == Source("/aws/lambda/verdict-logged")


def test_an_endpoint_or_a_job_that_is_not_there_is_named_as_such(aws: Aws) -> None:
    with pytest.raises(AwsError, match="Stage empty has no endpoint"):
        source_of(aws, "empty", "endpoint", "")
    with pytest.raises(AwsError, match="Name the job"):
        source_of(aws, "empty", "job", "")
    with pytest.raises(AwsError, match="There is no job verdict-nothing"):
        source_of(aws, "empty", "job", "verdict-nothing")
