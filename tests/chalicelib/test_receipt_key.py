"""The key of receipts that a table holds: one read, and verdicts that do without it."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib import receipt_key
from chalicelib.errors import FeedbackNotKeptError
from chalicelib.feedback import Collection
from chalicelib.receipt_key import ITEM_ID, RETRY_SECONDS, StoredKeys

KEY = "0123456789abcdef" * 4
REQUEST = {"TableName": "t", "Key": {"id": {"S": ITEM_ID}}, "ConsistentRead": True}


@pytest.fixture
def stubbed() -> tuple[Any, Stubber]:
    """A DynamoDB client and its stubber."""
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    client = session.client("dynamodb")
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


def test_a_key_is_read_once(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    stubber.add_response("get_item", {"Item": {"id": {"S": ITEM_ID}, "key": {"S": KEY}}}, REQUEST)
    keys = StoredKeys(lambda: client)
    assert [keys.read("t"), keys.read("t")] == [KEY.encode()] * 2
    stubber.assert_no_pending_responses()


def test_a_failed_read_is_repeated_after_a_minute(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    now = [100.0]
    keys = StoredKeys(lambda: client, lambda: now[0])
    stubber.add_client_error("get_item", "AccessDeniedException", expected_params=REQUEST)
    with pytest.raises(FeedbackNotKeptError, match="missing or cannot be written to"):
        keys.read("t")
    now[0] += RETRY_SECONDS - 1
    with pytest.raises(FeedbackNotKeptError):  # without a call
        keys.read("t")
    now[0] += 1
    stubber.add_response("get_item", {"Item": {"key": {"S": KEY}}}, REQUEST)
    assert keys.read("t") == KEY.encode()


@pytest.mark.parametrize("item", [{}, {"Item": {"key": {"S": "short"}}}])
def test_a_missing_or_short_key_is_a_failure(stubbed: tuple[Any, Stubber], item: dict[str, Any]) -> None:
    client, stubber = stubbed
    stubber.add_response("get_item", item, REQUEST)
    with pytest.raises(FeedbackNotKeptError):
        StoredKeys(lambda: client).read("t")


def test_a_verdict_does_without_a_key_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> Any:
        raise FeedbackNotKeptError("The table cannot be reached.", "ConnectTimeoutError")

    monkeypatch.setattr(receipt_key, "stored_keys", StoredKeys(unreachable))
    assert receipt_key.find(Collection("t")) == b""
    assert receipt_key.find(None) == b""
    with pytest.raises(FeedbackNotKeptError):
        receipt_key.require(Collection("t"))
