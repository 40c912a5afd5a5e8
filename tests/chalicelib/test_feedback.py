"""Receipts, records, requests and sampling of feedback, without a table."""

import json
import threading
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.parsers import ResponseParserError
from botocore.session import get_session
from botocore.stub import Stubber

from chalicelib import feedback, feedback_request, sampling
from chalicelib.errors import (
    BodyTooLargeError,
    EmptyReviewError,
    FeedbackNotKeptError,
    InvalidReceiptError,
    MalformedBodyError,
    SentimentError,
    UnsupportedMediaTypeError,
)
from chalicelib.feedback import Collection
from chalicelib.sentiment import PredictResponse, Verdict
from chalicelib.text import MAX_REVIEW_LENGTH
from operations.aws import names

KEY = b"0" * 64
REVIEW = "A fine film.\r\nI liked it.\n"
GIVEN = feedback.answer(REVIEW, "positive", 0.97, "abc-def", "trees")
ON = {"VERDICT_FEEDBACK": "verdict-dev-feedback"}
FORM = "application/x-www-form-urlencoded"
FIELDS = {"review": REVIEW, "receipt": "x.y", "correction": "mixed"}


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Collection | None:
    for name, value in {**ON, **variables}.items():
        monkeypatch.setenv(name, value)
    return feedback.collection()


def test_feedback_is_off_without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, VERDICT_FEEDBACK="") is None
    monkeypatch.delenv("VERDICT_FEEDBACK")
    assert feedback.collection() is None


def test_the_settings_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch) == Collection(names.feedback_table("dev"), 90, 0.0)


@pytest.mark.parametrize(("share", "parsed"), [("0.02", 0.02), ("1", 1.0), ("2", 0.0), ("-1", 0.0), ("a lot", 0.0)])
def test_an_invalid_share_collects_nothing(monkeypatch: pytest.MonkeyPatch, share: str, parsed: float) -> None:
    found = settings(monkeypatch, VERDICT_COLLECT_SHARE=share)
    assert found
    assert found.share == parsed
    assert bool(found.sampling_notice) == (parsed > 0)


def test_the_notices_name_the_operator_the_days_and_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch, VERDICT_FEEDBACK_OPERATOR="example Ltd", VERDICT_FEEDBACK_DAYS="30", VERDICT_COLLECT_SHARE="0.02"
    )
    assert found
    assert "Example Ltd keeps them" in found.privacy_notice
    assert "after 30 days" in found.privacy_notice
    assert "keeps 2% of the reviews" in found.sampling_notice


@pytest.mark.parametrize(
    "sent", [REVIEW, REVIEW.replace("\r\n", "\n"), REVIEW.replace("\r\n", "\n").replace("\n", "\r\n")]
)
def test_a_receipt_survives_the_line_breaks_of_forms(sent: str) -> None:
    assert feedback.read_receipt(feedback.write_receipt(GIVEN, KEY), sent, KEY) == GIVEN


def test_a_receipt_covers_the_part_of_a_review_that_was_read() -> None:
    given = feedback.answer("a\r\n" * 20_000, "negative", 0.1, "r", "v")
    sent = ("a\r\n" * 20_000)[:MAX_REVIEW_LENGTH]
    assert feedback.read_receipt(feedback.write_receipt(given, KEY), sent, KEY) == given


def forged(**changes: Any) -> str:
    """Return the receipt of another answer with the signature of a real one."""
    signature = feedback.write_receipt(GIVEN, KEY).partition(".")[2]
    return f"{feedback.write_receipt(GIVEN._replace(**changes), b'another key').partition('.')[0]}.{signature}"


@pytest.mark.parametrize(
    "receipt",
    [
        *("", ".", "x", "é.é", "a" * 5000),
        feedback.write_receipt(GIVEN, b"1" * 64),
        forged(verdict="negative"),
        forged(score=0.5),
        forged(variant="other"),
        feedback.write_receipt(GIVEN, KEY)[:-4],
    ],
)
def test_a_forged_receipt_is_refused(receipt: str) -> None:
    with pytest.raises(InvalidReceiptError, match="not from this site"):
        feedback.read_receipt(receipt, REVIEW, KEY)


def test_the_receipt_of_another_answer_is_refused() -> None:
    with pytest.raises(InvalidReceiptError, match="another review"):
        feedback.read_receipt(feedback.write_receipt(GIVEN, KEY), "Another review.", KEY)


def test_a_review_that_is_too_large_is_refused() -> None:
    with pytest.raises(BodyTooLargeError, match="first 20,000"):
        feedback.read_receipt(feedback.write_receipt(GIVEN, KEY), "x" * 20_001, KEY)


def test_a_record_has_the_documented_fields() -> None:
    item = feedback.record(GIVEN, REVIEW, "mixed", "feedback", 90, 1_795_779_000.6)
    assert {name: next(iter(value.values())) for name, value in item.items()} == {
        "id": GIVEN.id,
        "time": "2026-11-27T11:30:00Z",
        "review": "A fine film.\nI liked it.\n",
        "verdict": "positive",
        "score": "0.97",
        "release": "abc-def",
        "variant": "trees",
        "correction": "mixed",
        "source": "feedback",
        "expires": str(1_795_779_000 + 90 * 86_400),
    }
    assert len(GIVEN.id) == 64


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, urlencode(FIELDS)),
        ("application/json", json.dumps(FIELDS)),
        ("application/json; charset=utf-8", json.dumps(FIELDS)),
    ],
)
def test_a_form_and_json_are_read_alike(content_type: str, body: str) -> None:
    assert feedback_request.parse(content_type, body.encode()) == tuple(FIELDS.values())


@pytest.mark.parametrize(
    ("content_type", "body", "error", "message"),
    [
        (
            "application/json",
            json.dumps(FIELDS | {"correction": "great"}),
            MalformedBodyError,
            "\"correction\" is 'great'",
        ),
        ("application/json", json.dumps({**FIELDS, "review": 7}), MalformedBodyError, '"review" is missing'),
        ("application/json", "[]", MalformedBodyError, "Send a JSON object"),
        ("application/json", "{", MalformedBodyError, "not valid JSON"),
        (FORM, "review=a&correction=mixed", MalformedBodyError, '"receipt" is missing'),
        (FORM, "review=%ff&correction=mixed&receipt=", MalformedBodyError, "not UTF-8"),
        ("text/plain", "Good.", UnsupportedMediaTypeError, "Send feedback as"),
        ("application/json", " " * 500_001, BodyTooLargeError, "500,000"),
    ],
)
def test_an_invalid_request_is_refused(content_type: str, body: str, error: type[SentimentError], message: str) -> None:
    with pytest.raises(error, match=message):
        feedback_request.parse(content_type, body.encode())


ITEM = feedback.record(GIVEN, REVIEW, "mixed", feedback.FEEDBACK, 90, 0.0)


@pytest.mark.parametrize(
    ("code", "message", "retry"),
    [
        ("ThrottlingException", "Wait a few seconds", 5),
        ("ProvisionedThroughputExceededException", "Wait a few seconds", 5),
        ("ResourceNotFoundException", "missing or cannot be written", None),
        ("AccessDeniedException", "missing or cannot be written", None),
        ("InternalServerError", "cannot be reached", 5),
    ],
)
def test_an_error_of_the_table_is_a_clear_sentence(code: str, message: str, retry: int | None) -> None:
    client = get_session().create_client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("put_item", code)
        with pytest.raises(FeedbackNotKeptError, match=message) as caught:
            feedback.put(client, "table", ITEM)
    assert (caught.value.cause, caught.value.retry_after_seconds) == (code, retry)


class BrokenClient:
    """A client whose responses cannot be parsed."""

    def put_item(self, **_: Any) -> None:
        raise ResponseParserError("<html>")


def test_a_response_that_cannot_be_parsed_is_a_clear_sentence() -> None:
    with pytest.raises(FeedbackNotKeptError, match="cannot be reached"):
        feedback.put(BrokenClient(), "table", ITEM)


def verdict(label: str, score: float) -> Verdict:
    return Verdict(label, score, 1.0, True, ())


def test_a_share_of_the_verdicts_is_chosen() -> None:
    draws = iter([0.01, 0.5, 0.019])
    predicted = PredictResponse(
        [verdict("positive", 0.9), EmptyReviewError(""), verdict("negative", 0.1), verdict("not sure", 0.5)], "v", 3
    )
    share = Collection("t", share=0.02)
    items = sampling.choose(["Good.", "", "Bad.", "So."], predicted, "r", share, lambda: next(draws), lambda: 0.0)
    assert [item["review"]["S"] for item in items] == ["Good.", "So."]
    assert {(item["source"]["S"], item["correction"]["S"]) for item in items} == {("sample", "")}


def test_a_failed_sample_is_counted_and_raises_nothing() -> None:
    reports: list[tuple[int, int, str]] = []

    def connect() -> Any:
        raise feedback.not_kept("NoRegionError")

    thread = sampling.store([ITEM, ITEM], "table", connect, lambda *report: reports.append(report))
    assert thread
    thread.join()
    assert reports == [(0, 2, "NoRegionError")]
    assert sampling.store([], "table", connect, lambda *_: None) is None


class NoThread(threading.Thread):
    """A thread of a process that has too many."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_a_sample_without_a_thread_is_counted_as_failed() -> None:
    reports: list[tuple[int, int, str]] = []
    assert sampling.store([ITEM], "table", BrokenClient, lambda *report: reports.append(report), NoThread) is None
    assert reports == [(0, 1, "RuntimeError")]
