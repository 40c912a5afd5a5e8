"""HTTP requests and responses, independent of the web framework: representations, error responses and headers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from chalicelib import documents, feedback
from chalicelib.assets import Asset, asset_version
from chalicelib.embedded_metrics import Metrics
from chalicelib.errors import BodyTooLargeError, NotAcceptableError, SentimentError
from chalicelib.negotiation import Representation, negotiate
from chalicelib.predict_request import PredictRequest, parse_body
from chalicelib.release import Release
from chalicelib.sentiment import PredictResponse
from chalicelib.text import cut

MAX_RESPONSE_BYTES = 5_500_000  # Lambda accepts 6 MB, as JSON with the body as one of its strings
PROBLEM_TYPE = "application/problem+json"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# The report is a single file with inline styles, written before the release. No user input is in it, so inline styles
# are safe to allow.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"  # modules import each other without a version in the URL


@dataclass(frozen=True)
class Request:
    """A request. `base` is the path the app is mounted at; `body` is None if its base64 is invalid."""

    method: str
    route: str
    base: str
    headers: Mapping[str, str]  # case-insensitive names
    query: Mapping[str, str]
    body: bytes | None
    request_id: str

    @cached_property
    def predict_request(self) -> PredictRequest:
        """The parsed body of `POST /predict`."""
        headers = self.headers
        return parse_body(headers.get("content-type", ""), self.body, headers.get("content-encoding", ""))

    def negotiate(self, default: Representation) -> Representation:
        """Choose the representation of the response; raises `NotAcceptableError`."""
        return negotiate(self.headers.get("accept", ""), default)


@dataclass(frozen=True)
class Response:
    """A response, and the fields and metrics that it adds to the request log."""

    body: str
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    log_fields: Mapping[str, object] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=dict)


def json_response(document: object, status: int = 200, media_type: str = "application/json") -> Response:
    """Return a JSON document."""
    return Response(json.dumps(document), media_type, status)


def page_response(
    request: Request,
    release: Release,
    predict_response: PredictResponse | None = None,
    error: SentimentError | None = None,
    thanks: str = "",
) -> Response:
    """Return the page; jinja2 is imported for the first page only, for faster cold starts."""
    from chalicelib.pages import PageView, render

    parsed = request.predict_request if request.method == "POST" else None
    path = request.route.strip("/") if request.method == "POST" else ""
    if parsed and path == "feedback":  # echoes no more than a form of the page sends: a stranger pays for less data
        parsed = parsed._replace(text=cut(feedback.normalized(parsed.text)), reviews=())
    collection = feedback.collection()
    view = PageView(
        request.base, release, parsed, predict_response, error, request.request_id, path, collection, thanks
    )
    return Response(render(view, asset_version), HTML_TYPE, error.status if error else 200)


def predict_response(
    request: Request, predicted: PredictResponse, release: Release, representation: Representation
) -> Response:
    """Return verdicts in the negotiated representation, without explanations if they make it too large for Lambda.

    Raises the error of a single review, and `BodyTooLargeError` if the verdicts alone are too large.
    """
    response = _render_verdicts(request, predicted, release, representation)
    if not _fits(response):
        response = _render_verdicts(request, predicted.without_explanations(), release, representation)
    if not _fits(response):
        raise BodyTooLargeError("The response to this request would be too large. Send fewer reviews in one request.")
    log_fields = {**predicted.log_fields, "release": release.release_id}
    return replace(response, log_fields=log_fields, metrics=predicted.metrics)


def _render_verdicts(
    request: Request, predicted: PredictResponse, release: Release, representation: Representation
) -> Response:
    """Render verdicts in a representation."""
    if representation is Representation.TEXT:
        return Response(documents.as_digits(predicted), TEXT_TYPE)
    if representation is Representation.JSON:
        parsed = request.predict_request
        collection = feedback.collection()
        document = documents.as_json(parsed, predicted, release.release_id, request.request_id, collection)
        return json_response(document)
    return page_response(request, release, predicted)


def feedback_response(request: Request, document: documents.JsonObject, release: Release) -> Response:
    """Return the response to feedback that was stored, in the negotiated representation."""
    representation = request.negotiate(Representation.JSON)
    if representation is Representation.HTML:
        response = page_response(request, release, thanks=document["detail"])
    elif representation is Representation.TEXT:
        response = Response(f"{document['detail']}\n", TEXT_TYPE)
    else:
        response = json_response(document)
    return replace(response, log_fields={"correction": document["correction"], "release": release.release_id})


def _fits(response: Response) -> bool:
    """Return whether a response is small enough for Lambda, which escapes its body as a JSON string."""
    most_bytes_per_character = 12
    few = len(response.body) * most_bytes_per_character <= MAX_RESPONSE_BYTES
    return few or len(json.dumps(response.body)) <= MAX_RESPONSE_BYTES


def error_response(request: Request, error: SentimentError, release: Release | None) -> Response:
    """Render an error in the negotiated representation, or as a problem document if there is none.

    The page needs a release. It keeps the content of its text box.
    """
    default = request.predict_request.default_representation if request.method == "POST" else Representation.JSON
    try:
        representation = request.negotiate(default)
    except NotAcceptableError:
        representation = Representation.JSON
    if representation is Representation.HTML and release:
        response = page_response(request, release, error=error)
    elif representation is Representation.TEXT:
        response = Response(
            f"Error: {error.title}. {error.detail}\nRequest: {request.request_id}\n", TEXT_TYPE, error.status
        )
    else:
        response = json_response(documents.problem(error, request.request_id), error.status, PROBLEM_TYPE)
    retry_after = {} if error.retry_after_seconds is None else {"Retry-After": str(error.retry_after_seconds)}
    log_fields = {
        "problem": error.type,
        "cause": getattr(error, "cause", None),
        "release": release.release_id if release else None,
    }
    return replace(response, headers=retry_after, log_fields=log_fields)


def asset_response(request: Request, asset: Asset) -> Response:
    """Return a static file, immutable if the link carries the file's version."""
    cache_control = _IMMUTABLE if request.query.get("v") == asset.version else _REVALIDATE
    headers = {"Cache-Control": cache_control, "ETag": asset.etag}
    known = request.headers.get("if-none-match", "")
    if asset.etag in known or known.strip() == "*":
        return Response("", asset.media_type, 304, headers)
    return Response(asset.text, asset.media_type, 200, headers)


def report_response(request: Request, report: Asset) -> Response:
    """Return the packaged report, with its own content security policy."""
    response = asset_response(request, report)
    return replace(response, headers={**response.headers, "Content-Security-Policy": _REPORT_POLICY})


def common_headers(request: Request) -> dict[str, str]:
    """Return the headers of every response; a response may override them."""
    secure = _HTTPS_ONLY if request.headers.get("x-forwarded-proto") == "https" else {}
    return {**SECURITY_HEADERS, **secure, "X-Request-Id": request.request_id, "Vary": "Accept"}
