"""Tests of Lambda events that API Gateway's REST APIs do not send, in the shapes of the AWS documentation."""

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from chalice.test import Client

import app as verdict
from tests.gateway_events import gateway_event

if TYPE_CHECKING:
    from simulator.endpoint.local_endpoint import LocalEndpoint

POSITIVE = "One of the best films I have ever seen"


class Context:
    """The parts of a Lambda context that the app reads."""

    aws_request_id = "lambda-id"
    function_name = "verdict-dev"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 28_000


def invoke(event: object) -> dict[str, Any]:
    response: dict[str, Any] = verdict.app(event, Context())
    return response


def payload_2(
    method: str, path: str, body: str | None = None, stage: str = "$default", **headers: str
) -> dict[str, Any]:
    """Create the event of a Function URL or an HTTP API."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "v=1&v=2",
        "cookies": ["a=b"],
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "123456789012",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "url-id",
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def load_balancer(method: str, path: str, body: str = "", **headers: str) -> dict[str, Any]:
    """Create the event of an Application Load Balancer."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/a/b"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {"v": "a%20b"},
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "body": body,
        "isBase64Encoded": False,
    }


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("make", [payload_2, load_balancer])
def test_a_review_is_judged_behind_other_services(make: Any) -> None:
    response = invoke(make("POST", "/predict", json.dumps({"review": POSITIVE}), content_type="application/json"))
    assert response["statusCode"] == 200
    assert json.loads(response["body"])["label"] == "positive"
    assert response["headers"]["X-Request-Id"] in {"url-id", "lambda-id"}


@pytest.mark.parametrize("make", [payload_2, load_balancer])
def test_the_page_and_its_files_are_served_behind_other_services(make: Any) -> None:
    assert "<!doctype html>" in invoke(make("GET", "/", accept="text/html"))["body"]
    assert invoke(make("GET", "/static/app.js"))["statusCode"] == 200
    assert invoke(make("GET", "/a/b/c/d"))["statusCode"] == 404
    assert invoke(make("DELETE", "/predict"))["statusCode"] == 405


@pytest.mark.usefixtures("client")
def test_a_base64_body_is_decoded_behind_other_services() -> None:
    event = payload_2("POST", "/predict", base64.b64encode(POSITIVE.encode()).decode(), content_type="text/plain")
    assert invoke(event | {"isBase64Encoded": True})["body"] == "1"


def test_the_stage_of_an_http_api_is_part_of_the_pages_base() -> None:
    page = invoke(payload_2("GET", "/dev/", stage="dev", accept="text/html"))["body"]
    assert '<base href="/dev/">' in page


def test_multi_value_headers_of_a_load_balancer_are_joined() -> None:
    event = load_balancer("GET", "/")
    event["multiValueHeaders"] = {"accept": ["application/json;q=0.1", "text/html"]}
    del event["headers"]
    response = invoke(event)
    assert "<!doctype html>" in response["body"]
    assert response["multiValueHeaders"]["Content-Type"] == ["text/html; charset=utf-8"]


@pytest.mark.parametrize(
    "event",
    [
        {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": []},
        {"source": "serverless-plugin-warmup"},
        {"warmer": True, "concurrency": 3},
        {"ping": True},
    ],
)
def test_a_warm_up_is_answered_without_the_endpoint(event: object, local_endpoint: "LocalEndpoint") -> None:
    before = local_endpoint.requests
    assert invoke(event)["status"] == "warm"
    assert local_endpoint.requests == before


@pytest.mark.parametrize(
    "event",
    [
        {"key1": "value1", "key2": "value2", "key3": "value3"},
        {},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"requestContext": None},
        {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT"}},
        [1],
        "text",
        None,
        7,
    ],
)
def test_any_other_event_is_refused_without_an_error(event: object) -> None:
    response = invoke(event)
    assert response["status"] == "ignored"
    assert "API Gateway" in response["detail"]


@pytest.mark.parametrize(
    "missing", ["headers", "pathParameters", "multiValueQueryStringParameters", "body", "stageVariables"]
)
def test_an_incomplete_rest_event_is_served(missing: str) -> None:
    event = gateway_event("GET", "/health")
    del event[missing]
    assert invoke(event)["statusCode"] == 200


@pytest.mark.parametrize("path", ["/favicon.ico", "/robots.txt", "/nowhere", "/nowhere/else"])
def test_an_unknown_address_is_a_problem_or_a_page(path: str, client: Client) -> None:
    problem = client.http.get(path)
    assert (problem.status_code, problem.json_body["type"]) == (404, "urn:verdict:problem:not-found")
    page = client.http.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert b"There is nothing at" in page.body


def test_predict_opens_as_the_page_in_a_browser_only(client: Client) -> None:
    page = client.http.get("/predict", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status_code, b'<form id="predict"' in page.body) == (200, True)
    problem = client.http.get("/predict", headers={"Accept": "*/*"})
    assert (problem.status_code, problem.headers["Allow"]) == (405, "POST")
    assert problem.json_body["type"] == "urn:verdict:problem:not-served"


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "application/json"])
def test_every_representation_of_an_error_has_the_request_id(
    accept: str, client: Client, local_endpoint: "LocalEndpoint"
) -> None:
    local_endpoint.inject_fault("not-ready")
    headers = {"Content-Type": "text/plain", "Accept": accept}
    response = client.http.post("/predict", headers=headers, body=POSITIVE.encode())
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert response.headers["X-Request-Id"].encode() in response.body


def test_a_form_of_a_program_gets_json_and_of_a_browser_the_page(client: Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    program = client.http.post("/predict", headers={**form, "Accept": "*/*"}, body=b"review=Good&explain=false")
    assert program.json_body["sentences"] == []
    browser = {**form, "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    assert b"<!doctype html>" in client.http.post("/predict", headers=browser, body=b"review=Good").body
