"""Tests of the app with Chalice's test client, which calls the local endpoint through boto3."""

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from chalice.test import Client, HTTPResponse
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import app as verdict
from chalicelib import assets, openapi
from chalicelib.errors import NotFoundError, ReleaseError
from simulator.faults.endpoint_faults import KINDS
from tests.gateway_events import gateway_event

if TYPE_CHECKING:
    from simulator.endpoint.local_endpoint import LocalEndpoint

FORM = "application/x-www-form-urlencoded"
POSITIVE, NEGATIVE = "One of the best films I have ever seen", "A waste of time. The worst film ever."
COMMON_HEADERS = {
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "X-Request-Id",
    "Access-Control-Allow-Origin",
}


def post(client: Client, body: str | bytes, content_type: str = "text/plain", accept: str = "*/*") -> HTTPResponse:
    sent = body.encode() if isinstance(body, str) else body
    return client.http.post("/predict", headers={"Content-Type": content_type, "Accept": accept}, body=sent)


def post_json(client: Client, document: object) -> HTTPResponse:
    return post(client, json.dumps(document), "application/json", "application/json")


def validated(schema: str, document: object) -> Any:
    """Validate a document against its schema in the OpenAPI document, and return it."""
    api = openapi.document()
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": api["components"]}).validate(document)
    return document


@pytest.mark.parametrize(("review", "digit"), [(POSITIVE, "1"), (NEGATIVE, "0"), ("This movie is horrible.", "0")])
@pytest.mark.parametrize("content_type", ["text/plain", FORM, "text/plain; charset=utf-8"])
def test_the_tutorials_request_returns_a_digit(client: Client, review: str, digit: str, content_type: str) -> None:
    response = post(client, review, content_type)
    assert (response.status_code, response.body.decode()) == (200, digit)
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_json_review_returns_a_verdict(client: Client) -> None:
    response = post_json(client, {"review": NEGATIVE})
    document = validated("Verdict", response.json_body)
    assert response.status_code == 200
    assert document["label"] == "negative"
    assert document["score"] < 0.5
    assert [sentence["text"] for sentence in document["sentences"]] == ["A waste of time.", "The worst film ever."]
    assert {"waste", "worst"} <= {word["text"] for word in document["words"]}
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert document["release"] == verdict.packaged_release().release_id


def test_an_effect_is_the_change_of_the_score_without_the_word(client: Client) -> None:
    document = post_json(client, {"review": NEGATIVE}).json_body
    word = next(word for word in document["words"] if word["text"] == "waste")
    assert [NEGATIVE[place["start"] : place["end"]] for place in [word, *word["places"]]] == ["waste", "waste"]
    without = post_json(client, {"review": NEGATIVE.replace("waste", "")}).json_body
    assert document["score"] - without["score"] == pytest.approx(word["effect"])


def test_several_reviews_have_their_results_in_order(client: Client) -> None:
    response = post_json(client, {"reviews": [POSITIVE, "", 7, NEGATIVE]})
    results = validated("Verdicts", response.json_body)["results"]
    assert response.status_code == 200
    assert [result.get("label") for result in results] == ["positive", None, None, "negative"]
    assert [result["error"]["status"] for result in results[1:3]] == [422, 400]
    assert results[0]["sentences"] == []


def test_explanations_can_be_requested_or_omitted(client: Client) -> None:
    assert post_json(client, {"review": NEGATIVE, "explain": False}).json_body["words"] == []
    assert post_json(client, {"reviews": [NEGATIVE], "explain": True}).json_body["results"][0]["words"]


def test_unknown_words_are_not_sure_in_json_and_an_error_in_text(client: Client) -> None:
    document = post_json(client, {"review": "zxcvb qwrtp"}).json_body
    assert document["label"] == "not sure"
    assert "no-known-words" in {warning["code"] for warning in document["warnings"]}
    response = post(client, "zxcvb qwrtp")
    assert response.status_code == 422
    assert response.body.decode().startswith("Error: ")


def test_the_accept_header_selects_the_representation(client: Client) -> None:
    media_types = {
        accept: post(client, POSITIVE, "text/plain", accept).headers["Content-Type"].split(";")[0]
        for accept in ("text/html", "application/json", "text/plain", "*/*")
    }
    assert all(accept in ("*/*", media_type) for accept, media_type in media_types.items())
    assert media_types["*/*"] == "text/plain"
    assert post(client, POSITIVE, "text/plain", "image/png").status_code == 406


def test_a_form_returns_the_page_with_its_review_escaped(client: Client) -> None:
    response = post(client, "review=A+great+%3Cscript%3Efilm%26&x=1", FORM, "text/html")
    assert response.status_code == 200
    assert "A great &lt;script&gt;film&amp;" in response.body.decode()
    assert "<script>film" not in response.body.decode()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "slug"),
    [
        (b"x", "image/png", 415, "unsupported-media-type"),
        (b"{", "application/json", 400, "malformed-body"),
        (b'{"a":' * 90_000, "application/json", 400, "malformed-body"),
        (b"\xff", "application/json", 400, "malformed-body"),
        (b'{"review": " "}', "application/json", 422, "empty-review"),
        (b'{"review": 5}', "application/json", 400, "malformed-body"),
        (b'{"reviews": [' + b'"x",' * 100 + b'"x"]}', "application/json", 413, "too-large"),
        (b"review=" + b"x%0A" * 101 + b"&several=on", FORM, 413, "too-large"),
        (b'{"review": "' + b"x" * 500_001 + b'"}', "application/json", 413, "too-large"),
    ],
)
def test_each_invalid_request_has_its_problem_type(
    client: Client, body: bytes, content_type: str, status: int, slug: str
) -> None:
    response = post(client, body, content_type, "application/json")
    document = validated("Problem", response.json_body)
    assert (response.status_code, document["status"], document["type"]) == (
        status,
        status,
        f"urn:verdict:problem:{slug}",
    )
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers.keys() >= COMMON_HEADERS


@pytest.mark.parametrize(
    "review",
    [
        "x" * 200_000,
        "\N{GRINNING FACE}" * 10_000,
        "\u0631\u0627\u0626\u0639 " * 500,
        "bad\x00 film",
        "<b>good</b> &eacute; &#0; &bogus;",
        "?!" * 10_000,
        "\ud800 lone surrogate",
    ],
)
def test_unusual_text_returns_a_verdict(client: Client, review: str) -> None:
    response = post_json(client, {"review": review})
    assert response.status_code == 200
    validated("Verdict", response.json_body)


def test_the_largest_page_fits_in_a_lambda_response(client: Client) -> None:
    lines = "%0A".join(["'" * 4_990] * 100)
    response = post(client, f"several=on&review={lines}", FORM, "text/html")
    assert response.status_code == 200
    assert len(json.dumps(response.body.decode())) < 6_000_000


def test_an_invalid_form_keeps_its_text_and_checkbox(client: Client) -> None:
    response = post(client, "review=My+own+text&several=on" + "&a=1" * 30, FORM, "text/html")
    assert response.status_code == 400
    assert ">\nMy own text</textarea>" in response.body.decode()
    assert 'value="on" checked' in response.body.decode()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slow"])
def test_a_fault_of_the_endpoint_is_never_a_label(client: Client, local_endpoint: "LocalEndpoint", kind: str) -> None:
    local_endpoint.inject_fault(kind)
    document = validated("Problem", post_json(client, {"review": POSITIVE}).json_body)
    assert document["status"] >= 500
    text = post(client, POSITIVE)
    assert text.status_code == document["status"]
    assert text.body.decode().startswith("Error: ")
    form = post(client, "review=My+own+text&several=on", FORM, "text/html")
    assert form.status_code == document["status"]
    assert "My own text" in form.body.decode()


def test_a_temporary_fault_has_a_retry_after_header(client: Client, local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.inject_fault("not-ready")
    response = post_json(client, {"review": POSITIVE})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == str(response.json_body["retry_after_seconds"]) == "10"


def test_ready_calls_the_endpoint_and_health_does_not(client: Client, local_endpoint: "LocalEndpoint") -> None:
    assert client.http.get("/ready").json_body["status"] == "ready"
    local_endpoint.inject_fault("unavailable")
    assert client.http.get("/ready").status_code == 503
    assert client.http.get("/health").json_body == {"status": "ok"}


def test_version_returns_the_packaged_release(client: Client) -> None:
    document = client.http.get("/version").json_body
    assert document["release"] == verdict.packaged_release().release_id
    assert document["vocabulary_fingerprint"] == verdict.packaged_release().encoder.fingerprint


def test_the_openapi_document_is_valid_and_has_every_route(client: Client) -> None:
    document = client.http.get("/openapi.json").json_body
    validate(document)
    routes = set(verdict.app.routes) - {"/openapi.json", "/feedback", "/{path}", "/{path}/{rest}"}
    assert routes <= document["paths"].keys()


def test_the_openapi_document_has_every_problem_type(client: Client) -> None:
    types = openapi.problem_types()
    assert {"malformed-body": 400, "endpoint-slow": 504, "not-served": 405}.items() <= types.items()
    slug = post_json(client, {}).json_body["type"].removeprefix("urn:verdict:problem:")
    assert slug in types


@pytest.mark.parametrize("accept", ["application/json", "text/plain", "text/html"])
@pytest.mark.parametrize(("review", "kind", "status"), [(" ", None, 422), (POSITIVE, "not-ready", 503)])
def test_an_error_has_its_id_and_retry_time_in_every_representation(
    client: Client, local_endpoint: "LocalEndpoint", accept: str, review: str, kind: str | None, status: int
) -> None:
    if kind:
        local_endpoint.inject_fault(kind)
    response = post(client, review, "text/plain", accept)
    assert response.status_code == status
    assert response.headers["X-Request-Id"] in response.body.decode()
    assert response.headers.get("Retry-After") == ("10" if kind else None)
    content = openapi.document()["paths"]["/predict"]["post"]["responses"][str(status)]["content"]
    assert response.headers["Content-Type"].split(";")[0] in content
    if accept == "text/plain":
        Draft202012Validator(content[accept]["schema"]).validate(response.body.decode())


@pytest.mark.parametrize(
    "path", ["/", "/health", "/ready", "/version", "/report", "/api", "/openapi.json", "/static/style.css"]
)
def test_head_returns_the_headers_of_get(client: Client, path: str) -> None:
    get, head = client.http.get(path), client.http.head(path)
    assert (get.status_code, head.status_code) == (200, 200)
    assert head.body == b""
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_an_unsupported_method_is_a_problem(client: Client) -> None:
    response = client.http.put("/predict", body=b"x")
    assert response.status_code == 405
    assert validated("Problem", response.json_body)["type"] == "urn:verdict:problem:not-served"
    assert "POST" in response.headers["Allow"]


def test_static_files_can_be_cached(client: Client) -> None:
    first = client.http.get("/static/app.js")
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.http.get("/static/app.js", headers={"If-None-Match": etag})
    assert client.http.get("/static/app.js", headers={"If-None-Match": "*"}).status_code == 304
    assert (again.status_code, again.body) == (304, b"")
    versioned = client.http.get(f"/static/app.js?v={etag.strip(chr(34))}")
    assert "immutable" in versioned.headers["Cache-Control"]
    assert client.http.get("/static/index.html").status_code == 404
    assert client.http.get("/static/api.html").status_code == 404


def test_the_reports_policy_allows_styles_and_no_scripts(client: Client) -> None:
    response = client.http.get("/report")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers.keys() >= COMMON_HEADERS
    policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("style-src") == "'unsafe-inline'"
    assert policy.keys() >= {"default-src", "form-action", "base-uri", "frame-ancestors"}
    assert set(policy.values()) == {"'none'"}
    assert "unsafe" not in client.http.get("/").headers["Content-Security-Policy"]


def test_an_unchanged_report_is_not_sent_again(client: Client) -> None:
    first = client.http.get("/report")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.http.get("/report", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.body) == (304, b"")


def test_a_release_without_a_report_returns_404(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise NotFoundError("This release was packaged without a report.")

    monkeypatch.setattr(assets, "report", fail)
    response = client.http.get("/report", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert "without a report" in validated("Problem", response.json_body)["detail"]
    assert b"without a report" in client.http.get("/report", headers={"Accept": "text/html"}).body


def test_strict_transport_security_is_sent_over_https_only(client: Client) -> None:
    assert "Strict-Transport-Security" not in client.http.get("/health").headers
    secure = client.http.get("/health", headers={"X-Forwarded-Proto": "https"})
    assert "max-age" in secure.headers["Strict-Transport-Security"]


def test_the_base_path_is_that_of_the_stage() -> None:
    bases = {
        verdict.base_path({"path": path, "resourcePath": resource})
        for path, resource in [("/prod/", "/"), ("/prod", "/"), ("/prod/predict", "/predict")]
    }
    assert bases == {"/prod/"}
    assert verdict.base_path({"path": "/static/x.css", "resourcePath": "/static/{name}"}) == "/"
    assert verdict.base_path({"path": "/", "resourcePath": "/"}) == "/"


def post_event(body: str, *, base64_encoded: bool) -> dict[str, Any]:
    return gateway_event("POST", "/predict", body, base64_encoded=base64_encoded, content_type="text/plain")


class Context:
    aws_request_id = "lambda-id"

    def get_remaining_time_in_millis(self) -> int:
        return 28_000


@pytest.mark.usefixtures("client")
def test_a_base64_body_is_decoded_and_an_invalid_one_refused() -> None:
    valid = verdict.app(post_event(base64.b64encode(POSITIVE.encode()).decode(), base64_encoded=True), Context())
    assert (valid["statusCode"], valid["body"]) == (200, "1")
    for invalid in ("====x", "!!!!", "abc", "\u00e9"):
        assert verdict.app(post_event(invalid, base64_encoded=True), Context())["statusCode"] == 400
    assert verdict.app(post_event("\ud800", base64_encoded=False), Context())["statusCode"] == 400


@pytest.mark.usefixtures("client")
def test_a_multipart_form_arrives_with_its_bytes_unchanged() -> None:
    """API Gateway sends bodies of the app's binary types in base64, and replaces the invalid bytes of others."""
    assert "multipart/form-data" in verdict.app.api.binary_types
    for review, status in [(POSITIVE.encode(), 200), (b"caf\xe9", 400)]:
        form = b'--x\r\nContent-Disposition: form-data; name="review"\r\n\r\n' + review + b"\r\n--x--\r\n"
        event = gateway_event(
            "POST",
            "/predict",
            base64.b64encode(form).decode(),
            base64_encoded=True,
            content_type="multipart/form-data; boundary=x",
        )
        response = verdict.app(event, Context())
        assert response["statusCode"] == status
        assert json.loads(response["body"]).get("label") == ("positive" if status == 200 else None)


@pytest.mark.usefixtures("client")
def test_every_request_logs_one_line_without_the_review(capfd: pytest.CaptureFixture[str]) -> None:
    verdict.app(post_event("Zanzibar was the worst waste of time", base64_encoded=False), Context())
    (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    fields = json.loads(line)
    assert fields["id"] == "gateway-id"
    assert (fields["route"], fields["method"], fields["status"], fields["rows"]) == ("/predict", "POST", 200, 1)
    assert fields.keys() >= {"ms", "known_words", "release", "variant"}
    assert (fields["Stage"], fields["Variant"], fields["Negative"]) == ("dev", fields["variant"], [1])
    assert fields["KnownWords"] == [pytest.approx(fields["known_words"], abs=1e-3)]
    assert not {"zanzibar", "worst", "waste"} & set(line.lower().replace('"', " ").split())


@pytest.mark.usefixtures("client")
def test_a_request_without_a_verdict_has_no_metrics(capfd: pytest.CaptureFixture[str]) -> None:
    verdict.app(post_event(" ", base64_encoded=False), Context())
    (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    assert not {"_aws", "Stage", "Positive"} & json.loads(line).keys()


def test_an_unusable_release_is_an_error_of_routes_that_need_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ReleaseError("inner details")

    monkeypatch.setattr(verdict, "packaged_release", fail)
    responses = [
        post(client, POSITIVE),
        post_json(client, {"review": POSITIVE}),
        client.http.get("/"),
        client.http.get("/ready"),
    ]
    assert [response.status_code for response in responses] == [500] * 4
    assert client.http.get("/health").status_code == 200


def test_an_unhandled_exception_is_a_problem_without_details(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("inner details")

    monkeypatch.setattr(verdict, "packaged_release", fail)
    response = client.http.get("/version")
    assert validated("Problem", response.json_body)["status"] == 500
    assert b"inner" not in response.body
    assert response.headers.keys() >= COMMON_HEADERS


def test_a_review_that_cannot_be_judged_has_no_digit(client: Client) -> None:
    response = post(client, "Ce film est vraiment mauvais et je ne le recommande pas")
    assert response.status_code == 422
    assert "English" in response.body.decode()


@pytest.mark.parametrize(
    "review",
    [
        "The movie.",
        "watched this yesterday",
        "Das ist ein Film, ja",
        "the the the",
        "It is a film about a man and his dog.",
    ],
)
def test_a_text_without_an_opinion_is_not_sure(client: Client, review: str) -> None:
    assert post_json(client, {"review": review}).json_body["label"] == "not sure"
