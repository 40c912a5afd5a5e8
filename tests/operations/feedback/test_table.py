"""The table of feedback on the simulated DynamoDB, written by the app's own code."""

import itertools
from dataclasses import asdict

import pytest

from chalicelib import feedback
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError, translate_errors
from operations.feedback import table
from operations.feedback.table import COLUMNS, FeedbackRecord
from simulator.aws import SimulatedAws

STAGES = (f"f{number}" for number in itertools.count())
NOW = 1_795_779_000.0


@pytest.fixture
def stage() -> str:
    """A stage that no other test uses."""
    return next(STAGES)


@pytest.fixture
def table_name(aws: Aws, stage: str) -> str:
    return table.ensure(aws, stage)


def put(aws: Aws, table_name: str, review: str, correction: str = "mixed", now: float = NOW) -> str:
    """Store feedback as the app does; returns its id."""
    given = feedback.answer(review, "positive", 0.97, "abc-def", "trees")
    source = feedback.FEEDBACK if correction else feedback.SAMPLE
    item = feedback.record(given, review, correction, source, 90, now)
    feedback.put(aws.account.client("dynamodb"), table_name, item)
    return given.id


def records(aws: Aws, table_name: str, now: float = NOW) -> dict[str, FeedbackRecord]:
    """Return the records by review."""
    return {record.review: record for record in table.read_feedback(aws, table_name, lambda: now)}


def test_the_table_is_on_demand_protected_and_has_our_tag(aws: Aws, stage: str, table_name: str) -> None:
    client = aws.account.client("dynamodb")
    described = client.describe_table(TableName=table_name)["Table"]
    assert table_name == f"verdict-{stage}-feedback" == names.feedback_table(stage)
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table.missing_protections(aws.account, table_name) == []
    expiry = client.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    found = table.describe(aws.account, table_name)
    assert found
    assert found.tags == {"verdict:app": "verdict", "verdict:stage": stage}


def test_creating_it_again_changes_nothing(aws: Aws, stage: str, table_name: str) -> None:
    put(aws, table_name, "Good.")
    assert table.planned(aws.account, stage) == []
    assert table.ensure(aws, stage) == table_name
    assert list(records(aws, table_name)) == ["Good."]


def test_what_the_app_stores_is_read_back(aws: Aws, table_name: str) -> None:
    record_id = put(aws, table_name, "A fine\nfilm.")
    assert asdict(records(aws, table_name)["A fine\nfilm."]) == {
        "id": record_id,
        "time": "2026-11-27T11:30:00Z",
        "review": "A fine\nfilm.",
        "verdict": "positive",
        "score": 0.97,
        "release": "abc-def",
        "variant": "trees",
        "correction": "mixed",
        "source": "feedback",
    }
    assert COLUMNS[-1] == "source"


def test_the_same_answer_is_kept_once_with_its_last_correction(aws: Aws, table_name: str) -> None:
    put(aws, table_name, "Good.", "mixed")
    put(aws, table_name, "Good.", "negative")
    assert [record.correction for record in table.read_feedback(aws, table_name)] == ["negative"]


def test_a_sample_never_replaces_feedback(aws: Aws, table_name: str) -> None:
    for review, corrections in {"Good.": ("mixed", ""), "So.": ("", "positive")}.items():
        for correction in corrections:
            put(aws, table_name, review, correction)
    found = records(aws, table_name)
    assert {review: (record.correction, record.source) for review, record in found.items()} == {
        "Good.": ("mixed", "feedback"),
        "So.": ("positive", "feedback"),
    }


def test_expired_records_are_left_out(aws: Aws, table_name: str) -> None:
    put(aws, table_name, "Old.", now=NOW - 90 * 86_400)
    put(aws, table_name, "New.")
    assert list(records(aws, table_name)) == ["New."]


def test_every_page_of_a_large_table_is_read(aws: Aws, table_name: str) -> None:
    long = "x" * 19_000  # a page of a scan has at most 1 MB
    for number in range(70):
        put(aws, table_name, f"{number} {long}")
    pages = aws.account.client("dynamodb").get_paginator("scan").paginate(TableName=table_name)
    assert len(list(pages)) > 1
    assert len(records(aws, table_name)) == 70


def test_records_are_deleted_by_id(aws: Aws, table_name: str) -> None:
    gone, _ = put(aws, table_name, "Good."), put(aws, table_name, "Bad.")
    assert table.delete_records(aws, table_name, [gone, "0" * 64]) == 1
    assert list(records(aws, table_name)) == ["Bad."]


def test_a_session_and_a_client_can_read_too(aws: Aws, table_name: str) -> None:
    put(aws, table_name, "Good.")
    for source in (aws.account, aws.account.client("dynamodb")):
        assert len(list(table.read_feedback(source, table_name))) == 1


def test_a_missing_table_is_a_clear_error(aws: Aws) -> None:
    with pytest.raises(AwsError, match=r"no table verdict-none-feedback.*verdict feedback enable --stage none"):
        list(table.read_feedback(aws, "verdict-none-feedback"))


def test_a_throttled_read_is_not_an_empty_table(simulated: SimulatedAws, table_name: str) -> None:
    simulated.fault_injector.inject("Scan", "throttled", times=20)
    try:
        with pytest.raises(AwsError, match="throttling"), translate_errors():
            list(table.read_feedback(simulated.client("dynamodb"), table_name))
    finally:
        simulated.fault_injector.clear()


def test_a_table_without_our_tag_is_neither_used_nor_deleted(aws: Aws, stage: str) -> None:
    name = names.feedback_table(stage)
    aws.account.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for refused in (
        lambda: table.ensure(aws, stage),
        lambda: table.delete(aws, name, stage),
        lambda: table.planned(aws.account, stage),
    ):
        with pytest.raises(AwsError, match="no tag verdict:app"):
            refused()
    aws.account.client("dynamodb").delete_table(TableName=name)


def test_a_deleted_table_is_gone(aws: Aws, stage: str, table_name: str) -> None:
    table.delete(aws, table_name, stage)
    assert table.describe(aws.account, table_name) is None
    table.delete(aws, table_name, stage)
