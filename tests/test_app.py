"""The app through Chalice's own test client, asking the local endpoint through boto3."""

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
from simulator.endpoint_faults import KINDS

if TYPE_CHECKING:
    from simulator.server import LocalEndpoint

FORM = "application/x-www-form-urlencoded"
GOOD, BAD = "One of the best films I have ever seen", "A waste of time. The worst film ever."
ALWAYS = {
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


def described(schema: str, document: object) -> Any:
    """Check a document against the API's own description of it, and return it."""
    api = openapi.document()
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": api["components"]}).validate(document)
    return document


@pytest.mark.parametrize(("review", "digit"), [(GOOD, "1"), (BAD, "0"), ("This movie is horrible.", "0")])
@pytest.mark.parametrize("content_type", ["text/plain", FORM, "text/plain; charset=utf-8"])
def test_the_tutorials_call_gets_its_digit(client: Client, review: str, digit: str, content_type: str) -> None:
    answer = post(client, review, content_type)
    assert (answer.status_code, answer.body.decode()) == (200, digit)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_json_review_gets_the_whole_verdict(client: Client) -> None:
    answer = post_json(client, {"review": BAD})
    found = described("Verdict", answer.json_body)
    assert answer.status_code == 200
    assert found["label"] == "negative"
    assert found["score"] < 0.5
    assert [sentence["text"] for sentence in found["sentences"]] == ["A waste of time.", "The worst film ever."]
    assert {"waste", "worst"} <= {word["text"] for word in found["words"]}
    assert found["request_id"] == answer.headers["X-Request-Id"]
    assert found["release"] == verdict.packaged_release().release_id


def test_leaving_a_word_out_of_the_text_changes_the_score_by_its_effect(client: Client) -> None:
    found = post_json(client, {"review": BAD}).json_body
    word = next(word for word in found["words"] if word["text"] == "waste")
    assert [BAD[place["start"] : place["end"]] for place in [word, *word["places"]]] == ["waste", "waste"]
    without = post_json(client, {"review": BAD.replace("waste", "")}).json_body
    assert found["score"] - without["score"] == pytest.approx(word["effect"])


def test_several_reviews_are_answered_in_order_each_on_its_own(client: Client) -> None:
    answer = post_json(client, {"reviews": [GOOD, "", 7, BAD]})
    results = described("Verdicts", answer.json_body)["results"]
    assert answer.status_code == 200
    assert [result.get("label") for result in results] == ["positive", None, None, "negative"]
    assert [result["error"]["status"] for result in results[1:3]] == [422, 400]
    assert results[0]["sentences"] == []


def test_explanations_can_be_turned_on_and_off(client: Client) -> None:
    assert post_json(client, {"review": BAD, "explain": False}).json_body["words"] == []
    assert post_json(client, {"reviews": [BAD], "explain": True}).json_body["results"][0]["words"]


def test_unknown_words_are_not_sure_in_json_and_an_error_in_digits(client: Client) -> None:
    found = post_json(client, {"review": "zxcvb qwrtp"}).json_body
    assert found["label"] == "not sure"
    assert "no-known-words" in {warning["code"] for warning in found["warnings"]}
    answer = post(client, "zxcvb qwrtp")
    assert answer.status_code == 422
    assert answer.body.decode().startswith("Error: ")


def test_the_accept_header_chooses_the_answer(client: Client) -> None:
    kinds = {
        accept: post(client, GOOD, "text/plain", accept).headers["Content-Type"].split(";")[0]
        for accept in ("text/html", "application/json", "text/plain", "*/*")
    }
    assert all(accept in ("*/*", kind) for accept, kind in kinds.items())
    assert kinds["*/*"] == "text/plain"
    assert post(client, GOOD, "text/plain", "image/png").status_code == 406


def test_a_form_gets_the_page_with_its_review_kept_and_escaped(client: Client) -> None:
    answer = post(client, "review=A+great+%3Cscript%3Efilm%26&x=1", FORM, "text/html")
    assert answer.status_code == 200
    assert "A great &lt;script&gt;film&amp;" in answer.body.decode()
    assert "<script>film" not in answer.body.decode()


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
def test_bad_input_is_a_problem_with_its_own_type(
    client: Client, body: bytes, content_type: str, status: int, slug: str
) -> None:
    answer = post(client, body, content_type, "application/json")
    found = described("Problem", answer.json_body)
    assert (answer.status_code, found["status"], found["type"]) == (status, status, f"urn:verdict:problem:{slug}")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers.keys() >= ALWAYS


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
def test_strange_text_is_judged_or_refused_clearly(client: Client, review: str) -> None:
    answer = post_json(client, {"review": review})
    assert answer.status_code == 200
    assert described("Verdict", answer.json_body)["label"] in {"positive", "negative", "not sure"}


def test_the_largest_form_gives_a_page_that_lambda_can_answer_with(client: Client) -> None:
    lines = "%0A".join(["'" * 4_990] * 100)
    answer = post(client, f"several=on&review={lines}", FORM, "text/html")
    assert answer.status_code == 200
    assert len(json.dumps(answer.body.decode())) < 6_000_000


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slow"])
def test_no_fault_of_the_endpoint_is_ever_a_label(client: Client, local_endpoint: "LocalEndpoint", kind: str) -> None:
    local_endpoint.misbehave(kind)
    found = described("Problem", post_json(client, {"review": GOOD}).json_body)
    assert found["status"] >= 500
    text = post(client, GOOD)
    assert text.status_code == found["status"]
    assert text.body.decode().startswith("Error: ")
    form = post(client, "review=My+own+text&several=on", FORM, "text/html")
    assert form.status_code == found["status"]
    assert "My own text" in form.body.decode()


def test_a_passing_fault_says_when_to_come_back(client: Client, local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.misbehave("not-ready")
    answer = post_json(client, {"review": GOOD})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(answer.json_body["retry_after_seconds"]) == "10"


def test_ready_asks_the_endpoint_and_health_does_not(client: Client, local_endpoint: "LocalEndpoint") -> None:
    assert client.http.get("/ready").json_body["status"] == "ready"
    local_endpoint.misbehave("unavailable")
    assert client.http.get("/ready").status_code == 503
    assert client.http.get("/health").json_body == {"status": "ok"}


def test_version_tells_the_packaged_release(client: Client) -> None:
    found = client.http.get("/version").json_body
    assert found["release"] == verdict.packaged_release().release_id
    assert found["vocabulary_fingerprint"] == verdict.packaged_release().encoder.fingerprint


def test_the_description_is_valid_openapi(client: Client) -> None:
    document = client.http.get("/openapi.json").json_body
    validate(document)
    served = {route for route in verdict.app.routes if route != "/openapi.json"}
    assert served <= document["paths"].keys()


def test_every_problem_type_is_described(client: Client) -> None:
    types = openapi.problem_types()
    assert {"malformed-body": 400, "endpoint-slow": 504, "not-served": 405}.items() <= types.items()
    refused = post_json(client, {}).json_body["type"].removeprefix("urn:verdict:problem:")
    assert refused in types


@pytest.mark.parametrize(
    "path", ["/", "/health", "/ready", "/version", "/report", "/openapi.json", "/static/style.css"]
)
def test_head_is_get_without_a_body(client: Client, path: str) -> None:
    got, headed = client.http.get(path), client.http.head(path)
    assert (got.status_code, headed.status_code) == (200, 200)
    assert headed.body == b""
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]


def test_a_method_that_is_not_served_is_a_problem_too(client: Client) -> None:
    answer = client.http.put("/predict", body=b"x")
    assert answer.status_code == 405
    assert described("Problem", answer.json_body)["type"] == "urn:verdict:problem:not-served"
    assert "POST" in answer.headers["Allow"]


def test_static_files_can_be_kept(client: Client) -> None:
    first = client.http.get("/static/app.js")
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.http.get("/static/app.js", headers={"If-None-Match": etag})
    assert client.http.get("/static/app.js", headers={"If-None-Match": "*"}).status_code == 304
    assert (again.status_code, again.body) == (304, b"")
    versioned = client.http.get(f"/static/app.js?v={etag.strip(chr(34))}")
    assert "immutable" in versioned.headers["Cache-Control"]
    assert client.http.get("/static/index.html").status_code == 404


def test_the_report_is_served_under_a_policy_that_allows_its_styles_and_no_script(client: Client) -> None:
    answer = client.http.get("/report")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers.keys() >= ALWAYS
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("style-src") == "'unsafe-inline'"
    assert policy.keys() >= {"default-src", "form-action", "base-uri", "frame-ancestors"}
    assert set(policy.values()) == {"'none'"}
    assert "unsafe" not in client.http.get("/").headers["Content-Security-Policy"]


def test_the_report_is_sent_again_only_when_it_changed(client: Client) -> None:
    first = client.http.get("/report")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.http.get("/report", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.body) == (304, b"")


def test_a_release_that_was_packaged_without_a_report_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise NotFoundError("This release was packaged without a report.")

    monkeypatch.setattr(assets, "report", absent)
    answer = client.http.get("/report", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert "without a report" in described("Problem", answer.json_body)["detail"]
    assert b"without a report" in client.http.get("/report", headers={"Accept": "text/html"}).body


def test_strict_transport_is_asked_for_behind_https_only(client: Client) -> None:
    assert "Strict-Transport-Security" not in client.http.get("/health").headers
    secure = client.http.get("/health", headers={"X-Forwarded-Proto": "https"})
    assert "max-age" in secure.headers["Strict-Transport-Security"]


def test_the_page_knows_the_stage_it_is_mounted_under() -> None:
    bases = {
        verdict.base_of({"path": path, "resourcePath": resource})
        for path, resource in [("/prod/", "/"), ("/prod", "/"), ("/prod/predict", "/predict")]
    }
    assert bases == {"/prod/"}
    assert verdict.base_of({"path": "/static/x.css", "resourcePath": "/static/{name}"}) == "/"
    assert verdict.base_of({"path": "/", "resourcePath": "/"}) == "/"


def gateway_event(body: str, *, encoded: bool) -> dict[str, Any]:
    return {
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/predict",
            "path": "/dev/predict",
            "requestId": "r-1",
        },
        "headers": {"content-type": "text/plain"},
        "pathParameters": None,
        "stageVariables": None,
        "multiValueQueryStringParameters": None,
        "body": body,
        "isBase64Encoded": encoded,
    }


class Context:
    aws_request_id = "lambda-id"

    def get_remaining_time_in_millis(self) -> int:
        return 28_000


@pytest.mark.usefixtures("client")
def test_a_body_in_base64_is_decoded_and_a_broken_one_refused() -> None:
    good = verdict.app(gateway_event(base64.b64encode(GOOD.encode()).decode(), encoded=True), Context())
    assert (good["statusCode"], good["body"]) == (200, "1")
    for broken in ("====x", "!!!!", "abc", "\u00e9"):
        assert verdict.app(gateway_event(broken, encoded=True), Context())["statusCode"] == 400
    assert verdict.app(gateway_event("\ud800", encoded=False), Context())["statusCode"] == 400


@pytest.mark.usefixtures("client")
def test_every_request_leaves_one_line_that_says_nothing_of_the_review(capfd: pytest.CaptureFixture[str]) -> None:
    verdict.app(gateway_event("Zanzibar was the worst waste of time", encoded=False), Context())
    (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    facts = json.loads(line)
    assert facts["id"] == "r-1"
    assert (facts["route"], facts["method"], facts["status"], facts["rows"]) == ("/predict", "POST", 200, 1)
    assert facts.keys() >= {"ms", "known_words", "release", "variant"}
    assert not {"zanzibar", "worst", "waste"} & set(line.lower().replace('"', " ").split())


def test_a_refused_release_is_an_error_everywhere_it_is_needed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise ReleaseError("inner details")

    monkeypatch.setattr(verdict, "packaged_release", refused)
    answers = [post(client, GOOD), post_json(client, {"review": GOOD}), client.http.get("/"), client.http.get("/ready")]
    assert [answer.status_code for answer in answers] == [500] * 4
    assert client.http.get("/health").status_code == 200


def test_a_bug_is_a_problem_document_that_tells_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("inner details")

    monkeypatch.setattr(verdict, "packaged_release", broken)
    answer = client.http.get("/version")
    assert described("Problem", answer.json_body)["status"] == 500
    assert b"inner" not in answer.body
    assert answer.headers.keys() >= ALWAYS


def test_a_digit_is_refused_for_what_cannot_be_judged(client: Client) -> None:
    answer = post(client, "Ce film est vraiment mauvais et je ne le recommande pas")
    assert answer.status_code == 422
    assert "English" in answer.body.decode()


@pytest.mark.parametrize("review", ["The movie.", "the the the", "I saw it with my sister.", "Das ist ein Film, ja"])
def test_a_text_without_an_opinion_is_not_called_either(client: Client, review: str) -> None:
    assert post_json(client, {"review": review}).json_body["label"] == "not sure"
