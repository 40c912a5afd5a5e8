"""Tests of the app's feedback: the real routes, with a DynamoDB table on the simulated AWS."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chalice.test import Client, HTTPResponse
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import app as verdict
from chalicelib import feedback, openapi, receipt_key
from chalicelib.receipt_key import StoredKeys
from operations.aws.command import Aws
from operations.feedback import table
from operations.feedback.table import FeedbackRecord
from simulator.aws import SimulatedAws

FORM = "application/x-www-form-urlencoded"
NEGATIVE = "A waste of time.\nThe worst film ever."


@pytest.fixture
def table_name(aws: Aws) -> Iterator[str]:
    """A table of feedback with a key of receipts and no record, deleted at the end."""
    name = table.ensure(aws, "app")
    table.ensure_key(aws.account, name)
    yield name
    table.delete(aws, name, "app")


@pytest.fixture
def collecting(
    client: Client, simulated: SimulatedAws, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """The app with feedback on."""
    for name, value in {"AWS_ENDPOINT_URL_DYNAMODB": simulated.url, "VERDICT_FEEDBACK": table_name}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(receipt_key, "stored_keys", StoredKeys())
    verdict.feedback_client.cache_clear()
    yield client
    simulated.fault_injector.clear()
    verdict.feedback_client.cache_clear()


@pytest.fixture
def stored(aws: Aws, table_name: str) -> Callable[[], list[FeedbackRecord]]:
    """A function that returns the table's records."""
    return lambda: list(table.read_feedback(aws, table_name))


def test_the_key_in_the_table_writes_receipts(collecting: Client, aws: Aws, table_name: str) -> None:
    item = aws.account.client("dynamodb").get_item(TableName=table_name, Key={"id": {"S": receipt_key.ITEM_ID}})["Item"]
    given = judged(collecting)
    assert feedback.read_receipt(given["receipt"], NEGATIVE, item["key"]["S"].encode()).verdict == given["label"]


def judged_on_the_page(client: Client) -> str:
    """Judge a review without JavaScript, and return the page."""
    headers = {"Content-Type": FORM, "Accept": "text/html"}
    response = client.http.post("/predict", headers=headers, body=b"review=A+waste+of+time.")
    assert response.status_code == 200
    return response.body.decode()


def key_failures(output: str) -> list[str]:
    """Return the causes of the failed reads of the key in the log."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith('{"receipt_key_failures":')]
    assert all(line["receipt_key_failures"] == 1 for line in lines)
    return [line["cause"] for line in lines]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("denied", "AccessDeniedException"),
        ("throttled", "ThrottlingException"),
        ("silent", "ReadTimeoutError"),
        ("missing item", "MissingReceiptKey"),
        ("missing table", "ResourceNotFoundException"),
    ],
)
def test_a_failed_read_of_the_key_is_logged_and_costs_only_the_buttons(
    collecting: Client,
    simulated: SimulatedAws,
    aws: Aws,
    table_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fault: str,
    cause: str,
) -> None:
    now = [100.0]
    monkeypatch.setattr(receipt_key, "stored_keys", StoredKeys(now=lambda: now[0]))
    silent = socket.create_server(("127.0.0.1", 0))
    if fault == "missing item":
        aws.account.client("dynamodb").delete_item(TableName=table_name, Key={"id": {"S": receipt_key.ITEM_ID}})
    elif fault == "missing table":
        table.delete(aws, table_name, "app")
    elif fault == "silent":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
    else:
        simulated.fault_injector.inject("GetItem", fault)
    answer = judged(collecting)
    assert answer["label"] == "negative"
    assert "receipt" not in answer
    assert "Was this right?" not in judged_on_the_page(collecting)
    assert key_failures(capfd.readouterr().out) == [cause]
    silent.close()
    simulated.fault_injector.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", simulated.url)
    table.ensure_key(aws.account, table.ensure(aws, "app"))
    now[0] += receipt_key.RETRY_SECONDS
    assert "receipt" in judged(collecting)
    assert "Was this right?" in judged_on_the_page(collecting)
    assert key_failures(capfd.readouterr().out) == []


def judged(client: Client, review: str = NEGATIVE) -> dict[str, Any]:
    """Judge a review, and return the JSON verdict."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    document: dict[str, Any] = client.http.post(
        "/predict", headers=headers, body=json.dumps({"review": review}).encode()
    ).json_body
    return document


def send(
    client: Client,
    receipt: str,
    review: str = NEGATIVE,
    correction: str = "mixed",
    accept: str = "application/json",
) -> HTTPResponse:
    """Send feedback as JSON."""
    body = json.dumps({"review": review, "receipt": receipt, "correction": correction}).encode()
    return client.http.post("/feedback", headers={"Content-Type": "application/json", "Accept": accept}, body=body)


def validated(schema: str, document: object) -> Any:
    """Validate a document against its schema in the OpenAPI document, and return it."""
    components = openapi.document(feedback.collection())["components"]
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": components}).validate(document)
    return document


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_table_there_is_no_such_route(client: Client, method: str) -> None:
    response = getattr(client.http, method)("/feedback", headers={"Accept": "application/json"})
    assert (response.status_code, response.json_body["type"]) == (404, "urn:verdict:problem:not-found")
    unknown = client.http.get("/somewhere").json_body
    assert response.json_body | {"request_id": "", "detail": ""} == unknown | {"request_id": "", "detail": ""}


def test_without_a_table_nothing_mentions_feedback(client: Client) -> None:
    headers = {"Content-Type": FORM, "Accept": "text/html"}
    page = client.http.post("/predict", headers=headers, body=b"review=Good.").body.decode()
    assert "feedback" not in page
    assert "Reviews are not stored or logged." in page
    assert "receipt" not in judged(client)
    assert "feedback" not in json.dumps(client.http.get("/openapi.json").json_body).lower()
    assert "feedback" not in client.http.get("/api").body.decode().lower()


def test_feedback_is_stored_with_the_verdict_it_corrects(
    collecting: Client, stored: Callable[[], list[FeedbackRecord]]
) -> None:
    answer = validated("Verdict", judged(collecting))
    response = send(collecting, answer["receipt"])
    assert response.status_code == 200
    document = validated("Kept", response.json_body)
    (record,) = stored()
    assert (record.id, record.time, record.correction) == (document["id"], document["time"], "mixed")
    assert (record.review, record.verdict, record.source) == (NEGATIVE, "negative", "feedback")
    assert record.score == answer["score"]
    assert (record.release, record.variant) == (answer["release"], answer["variant"])


def test_a_stored_item_has_no_other_attributes(collecting: Client, aws: Aws, table_name: str) -> None:
    send(collecting, judged(collecting)["receipt"])
    items = aws.account.client("dynamodb").scan(TableName=table_name)["Items"]
    (item,) = [each for each in items if each["id"]["S"] != receipt_key.ITEM_ID]
    assert item.keys() == {*table.COLUMNS, "expires"}


def test_the_same_feedback_twice_is_kept_once(collecting: Client, stored: Callable[[], list[FeedbackRecord]]) -> None:
    for correction in ("mixed", "positive"):
        assert send(collecting, judged(collecting)["receipt"], correction=correction).status_code == 200
    assert [record.correction for record in stored()] == ["positive"]


def test_each_of_several_verdicts_has_its_receipt(
    collecting: Client, stored: Callable[[], list[FeedbackRecord]]
) -> None:
    body = json.dumps({"reviews": ["Good film.", "", "Bad film."]}).encode()
    headers = {"Content-Type": "application/json"}
    document = validated("Verdicts", collecting.http.post("/predict", headers=headers, body=body).json_body)
    first, error, last = document["results"]
    assert "receipt" not in error
    assert send(collecting, first["receipt"], "Good film.").status_code == 200
    assert send(collecting, last["receipt"], "Bad film.").status_code == 200
    assert {record.review for record in stored()} == {"Good film.", "Bad film."}


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"receipt": "forged.forged"}, 422, "invalid-receipt"),
        ({"review": "Another review."}, 422, "invalid-receipt"),
        ({"review": "x" * 20_001}, 413, "too-large"),
        ({"correction": "superb"}, 400, "malformed-body"),
        ({"correction": ""}, 400, "malformed-body"),
    ],
)
def test_each_invalid_feedback_has_its_problem_type(
    collecting: Client, stored: Callable[[], list[FeedbackRecord]], change: dict[str, str], status: int, slug: str
) -> None:
    response = send(collecting, **{"receipt": judged(collecting)["receipt"], **change})
    document = validated("Problem", response.json_body)
    assert (response.status_code, document["type"]) == (status, f"urn:verdict:problem:{slug}")
    assert stored() == []


@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/plain"])
def test_a_throttled_table_is_reported_and_the_text_kept(
    collecting: Client, simulated: SimulatedAws, accept: str
) -> None:
    receipt = judged(collecting)["receipt"]
    simulated.fault_injector.inject("PutItem", "throttled")
    response = send(collecting, receipt, accept=accept)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Wait a few seconds" in response.body.decode()
    simulated.fault_injector.clear()
    assert send(collecting, receipt, accept=accept).status_code == 200


def test_a_missing_table_is_reported(
    collecting: Client, aws: Aws, table_name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    receipt = judged(collecting)["receipt"]
    table.delete(aws, table_name, "app")
    document = validated("Problem", send(collecting, receipt).json_body)
    assert (document["status"], document["title"]) == (503, "Your answer could not be kept")
    assert "missing or cannot be written to" in document["detail"]
    assert '"cause":"ResourceNotFoundException"' in capfd.readouterr().out


def test_a_form_returns_the_page_with_the_review(
    collecting: Client, stored: Callable[[], list[FeedbackRecord]]
) -> None:
    receipt = judged(collecting, "A good film.")["receipt"]
    body = f"review=A+good+film.&receipt={receipt}&correction=negative".encode()
    headers = {"Content-Type": FORM, "Accept": "text/html"}
    page = collecting.http.post("/feedback", headers=headers, body=body).body.decode()
    assert "Thank you" in page
    assert "A good film.</textarea>" in page
    assert [record.correction for record in stored()] == ["negative"]


def test_the_address_of_feedback_opens_the_page(collecting: Client) -> None:
    assert collecting.http.get("/feedback", headers={"Accept": "text/html"}).status_code == 200
    response = collecting.http.get("/feedback")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_the_openapi_document_has_feedback_and_its_notice(collecting: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_COLLECT_SHARE", "0.02")
    document = collecting.http.get("/openapi.json").json_body
    validate(document)
    found = feedback.collection()
    assert found
    assert found.privacy_notice in document["paths"]["/feedback"]["post"]["description"]
    assert found.sampling_notice in document["paths"]["/predict"]["post"]["description"]
    assert found.sampling_notice in collecting.http.get("/api").body.decode()


def test_the_page_states_what_is_sampled_above_the_box(collecting: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "chosen at random" not in collecting.http.get("/").body.decode()
    monkeypatch.setenv("VERDICT_COLLECT_SHARE", "0.02")
    page = collecting.http.get("/").body.decode()
    assert page.index("keeps 2% of the reviews") < page.index("<textarea")


def wait_for_samples() -> None:
    """Wait for the threads that store samples."""
    for thread in threading.enumerate():
        if thread.name.endswith("(_write)"):
            thread.join()


def test_sampled_reviews_are_stored_without_a_correction(
    collecting: Client, stored: Callable[[], list[FeedbackRecord]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_COLLECT_SHARE", "1")
    judged(collecting)
    wait_for_samples()
    assert [(record.review, record.correction, record.source) for record in stored()] == [(NEGATIVE, "", "sample")]


def test_a_failed_sample_is_a_line_in_the_log_and_no_error(
    collecting: Client,
    simulated: SimulatedAws,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VERDICT_COLLECT_SHARE", "1")
    simulated.fault_injector.inject("PutItem", "denied")
    assert judged(collecting)["label"] == "negative"
    wait_for_samples()
    output = capfd.readouterr().out
    assert re.search(r'^{"samples_stored":0,"samples_failed":1,"cause":"AccessDeniedException"}$', output, re.MULTILINE)
    assert "waste" not in output
