"""One HTTP request as the app sees it, and the answers to it: representations, errors -> statuses, headers.

It knows no framework: `app.py` makes a `Call` of what Chalice hands it, and a Chalice response of an `Answer`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib import documents, predict_request
from chalicelib.assets import Asset, asset_version
from chalicelib.errors import MalformedBodyError, NotAcceptableError, SentimentError
from chalicelib.negotiation import Representation, negotiate
from chalicelib.predict_request import PredictRequest
from chalicelib.release import Release
from chalicelib.sentiment import PredictResponse

PROBLEM_TYPE = "application/problem+json"
TEXT_TYPE = "text/plain; charset=utf-8"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# The report is one file with its styles in it, the same for everybody. Nothing that anybody sent is written into it, so
# allowing styles lets nothing in, and it needs nothing else.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"  # keep it, but ask whether it changed: modules import each other without a version


@dataclass(frozen=True)
class Call:
    """A request. `base` is the path the app is mounted at; `body` is None where it could not be decoded."""

    method: str
    route: str
    base: str
    headers: Mapping[str, str]  # names in any case
    query: Mapping[str, str]
    body: bytes | None
    request_id: str

    @property
    def content_type(self) -> str:
        """The body's Content-Type; JSON where there is none, as API Gateway has it."""
        return self.headers.get("content-type", "application/json")

    def read(self) -> PredictRequest:
        """Read the reviews asked about; raises `SentimentError`."""
        if self.body is None:
            raise MalformedBodyError("The body cannot be decoded.")
        return predict_request.read(self.content_type, self.body)

    def representation(self, in_kind: Representation) -> Representation:
        """Choose how to answer; raises `NotAcceptableError`."""
        return negotiate(self.headers.get("accept", ""), in_kind)


@dataclass(frozen=True)
class Answer:
    """A response, and what the request log should hold of it."""

    body: str
    media_type: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)


def json_answer(document: object, status: int = 200, media_type: str = "application/json") -> Answer:
    """Answer with JSON."""
    return Answer(json.dumps(document), media_type, status)


def page_answer(call: Call, release: Release, status: int = 200, **view: Any) -> Answer:
    """Answer with the page; jinja2 is imported when the first page is asked for."""
    from chalicelib.pages import PageView, render

    html = render(PageView(base=call.base, release=release, **view), asset_version)
    return Answer(html, "text/html; charset=utf-8", status)


def verdict_answer(
    call: Call, asked: PredictRequest, judgement: PredictResponse, release: Release, chosen: Representation
) -> Answer:
    """Answer with verdicts; raises the error of a single review, which is then the request's."""
    if chosen is Representation.TEXT:
        return Answer(documents.as_digits(judgement), TEXT_TYPE)
    document = documents.as_json(asked, judgement, release.release_id, call.request_id)
    if chosen is Representation.JSON:
        return json_answer(document)
    return page_answer(call, release, inquiry=asked, results=tuple(document.get("results", [document])))


def refusal(call: Call, error: SentimentError, release: Release | None) -> Answer:
    """Tell an error as its request would have been answered; as a problem document where that is not possible.

    Without a release there is no page. The page's box keeps its text.
    """
    problem = documents.problem(error, call.request_id)
    body = call.body or b""
    in_kind = predict_request.kind_of(call.content_type, body) if call.method == "POST" else Representation.JSON
    try:
        chosen = call.representation(in_kind)
    except NotAcceptableError:
        chosen = Representation.JSON
    if chosen is Representation.HTML and release:
        text = predict_request.text_of(call.content_type, body)
        several = predict_request.asks_several(call.content_type, body)
        answer = page_answer(call, release, error.status, problem=problem, text=text, several=several)
    elif chosen is Representation.TEXT:
        answer = Answer(f"Error: {error.title}. {error.detail}\n", TEXT_TYPE, error.status)
    else:
        answer = json_answer(problem, error.status, PROBLEM_TYPE)
    answer.facts.update(problem=error.type, cause=getattr(error, "cause", None))
    answer.facts.update(release=release.release_id if release else None)
    if error.retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def asset_answer(call: Call, found: Asset) -> Answer:
    """Answer with a static file; a link that carries the file's version may be kept for good."""
    kept_until = _FOREVER if call.query.get("v") == found.version else _ASK_AGAIN
    headers = {"Cache-Control": kept_until, "ETag": found.etag}
    known = call.headers.get("if-none-match", "")
    if found.etag in known or known.strip() == "*":
        return Answer("", found.media_type, 304, headers)
    return Answer(found.text, found.media_type, 200, headers)


def report_answer(call: Call, found: Asset) -> Answer:
    """Answer with the packaged report, under a policy of its own."""
    answer = asset_answer(call, found)
    answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    return answer


def common_headers(call: Call) -> dict[str, str]:
    """Return the headers that every answer carries, unless it has its own."""
    secure = _HTTPS_ONLY if call.headers.get("x-forwarded-proto") == "https" else {}
    return {**SECURITY_HEADERS, **secure, "X-Request-Id": call.request_id, "Vary": "Accept"}
