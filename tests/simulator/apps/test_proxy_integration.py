import base64
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from simulator.apps.proxy_integration import Target, http_response, lambda_event
from simulator.http.messages import HttpRequest, HttpResponse

TARGET = Target("abc", "prod", "/static/{name}", "/static/a.css", {"name": "a.css"}, "/_site/abc/prod")
BINARY = ("image/png",)


def request_with(target: str = "/", body: bytes = b"", **headers: str) -> HttpRequest:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(EnvironBuilder(target, method="POST", headers=sent, data=body).get_environ())


def response_for(returned: Any, smallest_gzip_bytes: int | None = None, **headers: str) -> HttpResponse:
    return http_response(returned, request_with(**headers), BINARY, smallest_gzip_bytes)


def test_event_has_both_the_full_path_and_the_stage_path() -> None:
    event = lambda_event(request_with(), TARGET, BINARY)
    assert (event["resource"], event["path"], event["pathParameters"]) == (
        "/static/{name}",
        "/static/a.css",
        {"name": "a.css"},
    )
    assert event["requestContext"]["path"] == "/_site/abc/prod/static/a.css"
    assert event["requestContext"]["resourcePath"] == "/static/{name}"
    assert event["requestContext"]["stage"] == "prod"


def test_parameters_come_with_all_their_values() -> None:
    event = lambda_event(request_with("/?a=1&a=2&b="), TARGET, BINARY)
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert event["queryStringParameters"] == {"a": "2", "b": ""}


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", b"caf\xc3\xa9", ("café", False)),
        ("image/png; q=1", b"\x89PNG", (base64.b64encode(b"\x89PNG").decode(), True)),
        ("text/plain", b"", (None, False)),
    ],
)
def test_a_body_is_text_or_base64_by_its_type(
    content_type: str, body: bytes, expected: tuple[str | None, bool]
) -> None:
    event = lambda_event(request_with(body=body, content_type=content_type), TARGET, BINARY)
    assert (event["body"], event["isBase64Encoded"]) == expected


def test_binary_response_is_decoded_if_accepted_first() -> None:
    returned = {"statusCode": 200, "body": base64.b64encode(b"\x89PNG").decode(), "isBase64Encoded": True}
    assert response_for(returned, accept="image/png, */*").body == b"\x89PNG"
    assert response_for(returned, accept="*/*").body == base64.b64encode(b"\x89PNG")


def test_both_kinds_of_headers_are_sent_with_json_by_default() -> None:
    returned = {"statusCode": "404", "headers": {"X-One": 1}, "multiValueHeaders": {"Vary": ["Accept", "Origin"]}}
    answer = response_for(returned)
    assert answer.status == 404
    assert answer.headers["X-One"] == "1"
    assert answer.headers["Vary"] == "Accept, Origin"
    assert answer.headers["Content-Type"] == "application/json"


def test_only_long_responses_are_compressed_if_enabled() -> None:
    returned = {"statusCode": 200, "body": "x" * 100}
    assert response_for(returned, 100, accept_encoding="br, gzip").headers["Content-Encoding"] == "gzip"
    assert response_for(returned, 101, accept_encoding="br, gzip").body == b"x" * 100
    assert response_for(returned, None, accept_encoding="br, gzip").body == b"x" * 100


@pytest.mark.parametrize("returned", [None, "text", {}, {"statusCode": "fine"}])
def test_malformed_results_are_rejected(returned: Any) -> None:
    with pytest.raises(ValueError, match="statusCode"):
        response_for(returned)
