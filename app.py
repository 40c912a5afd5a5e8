"""The Chalice app: its routes, and the conversion of requests, responses and errors."""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, wraps
from typing import Any

import chalice.app

from chalicelib import assets, documents, events, feedback, forms, http, release, request_log, sampling, sentiment
from chalicelib.endpoint import GATEWAY_SECONDS, Endpoint, connect, endpoint_name
from chalicelib.errors import MethodNotAllowedError, NotFoundError, ReleaseError, SentimentError
from chalicelib.http import Request, Response
from chalicelib.negotiation import Representation
from chalicelib.startup import excluded_from_gc


class LambdaApp(chalice.app.Chalice):
    """An app that also serves Function URLs and load balancers, and answers events that are not requests."""

    def __call__(self, event: Any, context: Any) -> Any:
        """Serve a request; answer a warm-up ping at once, and refuse any other event without an error."""
        rest_event = events.rest_event(event, self.routes, context.aws_request_id)
        if rest_event:
            return events.response_for(event, super().__call__(rest_event, context))
        if events.is_warm_up(event):
            return {"status": "warm", "release": packaged_release().release_id}
        detail = (
            "This function serves events of API Gateway, Function URLs and load balancers; this event is none of these."
        )
        return {"status": "ignored", "detail": detail}


app = LambdaApp(app_name="verdict")
app.api.binary_types.append(forms.MULTIPART_TYPE)  # API Gateway replaces the invalid bytes of any other body
CORS = chalice.app.CORSConfig(
    allow_origin="*", allow_headers=["Accept"], expose_headers=["X-Request-Id", "Retry-After"]
)
GET = {"methods": ["GET", "HEAD"], "content_types": ["*/*"], "cors": CORS}


@cache
def packaged_release() -> release.Release:
    """Load the packaged release once; raises `ReleaseError` at every call if it cannot be used."""
    return release.load()


@cache
def endpoint() -> Endpoint:
    """Create the endpoint's client once, with timeouts that fit the time left for this request."""
    name = endpoint_name(packaged_release().encoder.fingerprint)
    with excluded_from_gc():
        return Endpoint(connect(start_countdown()()), name)


@cache
def feedback_client() -> Any:
    """Create the client of the feedback table once; raises `FeedbackNotKeptError` if that fails."""
    return feedback.connect()


def start_countdown() -> Callable[[], float]:
    """Return a function that returns the seconds left for this request, in API Gateway and in Lambda."""
    gateway_deadline = time.monotonic() + GATEWAY_SECONDS
    context = app.lambda_context
    return lambda: min(gateway_deadline - time.monotonic(), context.get_remaining_time_in_millis() / 1000)


def request_from(chalice_request: chalice.app.Request) -> Request:
    """Convert Chalice's request."""
    context = chalice_request.context
    return Request(
        method=chalice_request.method,
        route=context["resourcePath"],
        base=base_path(context),
        headers=chalice_request.headers,
        query=chalice_request.query_params or {},
        body=decode_body(chalice_request.to_original_event()),
        request_id=context.get("requestId") or app.lambda_context.aws_request_id,
    )


def decode_body(event: Mapping[str, Any]) -> bytes | None:
    """Return the body, or None if its base64 is invalid, which Chalice ignores."""
    body = event.get("body") or b""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body if isinstance(body, bytes) else body.encode()
    except ValueError:
        return None


def base_path(context: Mapping[str, Any]) -> str:
    """Return the path the app is mounted at, which is the path without the route: `/prod/predict` -> `/prod/`."""
    path = [part for part in context["path"].split("/") if part]
    route = [part for part in context["resourcePath"].split("/") if part]
    return "/".join(["", *path[: len(path) - len(route)], ""])


def view(function: Callable[..., Response]) -> Callable[..., chalice.app.Response]:
    """Convert a function from `Request` to `Response` to a Chalice view that handles its errors and logs it."""

    @wraps(function)
    def chalice_view(**path_parameters: str) -> chalice.app.Response:
        started = time.perf_counter()
        request = request_from(app.current_request)  # type: ignore[arg-type]  # not None inside a view
        try:
            response = function(request, **path_parameters)
        except ReleaseError as error:
            response = http.error_response(request, error, None)
        except SentimentError as error:
            response = http.error_response(request, error, packaged_release())
        request_log.write(request, response, milliseconds=(time.perf_counter() - started) * 1000)
        body = "" if request.method == "HEAD" else response.body
        headers: dict[str, str | list[str]] = {"Cache-Control": "no-store", "Content-Type": response.media_type}
        headers |= {**http.common_headers(request), **response.headers}
        return chalice.app.Response(body, headers, response.status)

    return chalice_view


@app.middleware("http")
def convert_chalice_errors(
    chalice_request: chalice.app.Request,
    get_response: Callable[[chalice.app.Request], chalice.app.Response],
) -> chalice.app.Response:
    """Convert Chalice's built-in errors (a wrong method, an unhandled exception) to problem documents.

    The request that caused an exception may be unreadable, so that only its context is read here.
    """
    response = get_response(chalice_request)
    if isinstance(response.body, dict):
        context = chalice_request.context
        route, request_id = str(context.get("resourcePath")), str(context.get("requestId"))
        request = Request(chalice_request.method, route, "/", {}, {}, None, request_id)
        error_class = MethodNotAllowedError if response.status_code == MethodNotAllowedError.status else SentimentError
        error = error_class(str(response.body.get("Message")))
        response.body = json.dumps(documents.problem(error, request.request_id))
        response.headers.update({"Content-Type": http.PROBLEM_TYPE, **http.common_headers(request)})
        request_log.write(request, Response("", http.PROBLEM_TYPE, error.status, log_fields={"problem": error.type}))
    return response


@app.route("/", **GET)
@view
def index(request: Request) -> Response:
    """Return the page."""
    return http.page_response(request, packaged_release())


@app.route("/predict", **GET)
@view
def predict_page(request: Request) -> Response:
    """Return the page to a browser, which is here after a form without a script; programs must use POST."""
    if request.negotiate(Representation.JSON) is Representation.HTML:
        return http.page_response(request, packaged_release())
    error = MethodNotAllowedError("Send reviews to this address with POST.")
    return replace(http.error_response(request, error, packaged_release()), headers={"Allow": "POST"})


@app.route("/predict", methods=["POST"], content_types=["*/*"], cors=CORS)
@view
def predict(request: Request) -> Response:
    """Judge the reviews of a text, a form or a JSON body."""
    remaining_seconds = start_countdown()
    parsed = request.predict_request
    if parsed.error:
        raise parsed.error
    representation = request.negotiate(parsed.default_representation)
    explain = parsed.explain and representation is not Representation.TEXT
    predicted = sentiment.predict(parsed.reviews, packaged_release(), endpoint, remaining_seconds, explain=explain)
    sample(parsed.reviews, predicted)
    return http.predict_response(request, predicted, packaged_release(), representation)


def sample(reviews: Sequence[object], predicted: sentiment.PredictResponse) -> None:
    """Store the configured share of reviews, in a thread that the response does not wait for."""
    collection = feedback.collection()
    if collection and collection.share:
        items = sampling.choose(reviews, predicted, packaged_release().release_id, collection)
        sampling.store(items, collection.table, feedback_client, request_log.write_samples)


@app.route("/feedback", **GET)
@view
def feedback_page(request: Request) -> Response:
    """Return the page to a browser that reloads it after feedback without a script; programs must use POST."""
    collection_or_404()
    if request.negotiate(Representation.JSON) is Representation.HTML:
        return http.page_response(request, packaged_release())
    error = MethodNotAllowedError("Send feedback to this address with POST.")
    return replace(http.error_response(request, error, packaged_release()), headers={"Allow": "POST"})


@app.route("/feedback", methods=["POST"], content_types=["*/*"], cors=CORS)
@view
def give_feedback(request: Request) -> Response:
    """Store a correction of a verdict, whose receipt proves that it was given."""
    from chalicelib import feedback_request, receipt_key  # no other route needs them

    collection, headers = collection_or_404(), request.headers
    sent = feedback_request.parse(headers.get("content-type", ""), request.body, headers.get("content-encoding", ""))
    given = feedback.read_receipt(sent.receipt, sent.review, receipt_key.require(collection))
    now = time.time()
    item = feedback.record(given, sent.review, sent.correction, feedback.FEEDBACK, collection.days, now)
    feedback.put(feedback_client(), collection.table, item)
    document = documents.kept(given, sent.correction, collection, request.request_id, now)
    return http.feedback_response(request, document, packaged_release())


def collection_or_404() -> feedback.Collection:
    """Return how feedback is collected; raises `NotFoundError` if it is not, as for any unknown address."""
    collection = feedback.collection()
    if collection is None:
        raise NotFoundError("There is nothing at /feedback. The page is at the root of this site.")
    return collection


@app.route("/health", **GET)
@view
def health(_: Request) -> Response:
    """Report that the app is running, without calling the endpoint."""
    return http.json_response({"status": "ok"})


@app.route("/ready", **GET)
@view
def ready(_: Request) -> Response:
    """Report that the endpoint can score a row."""
    row = packaged_release().encoder.row([])
    variant = endpoint().scores([row], start_countdown()).variant
    return http.json_response({"status": "ready", "release": packaged_release().release_id, "variant": variant})


@app.route("/version", **GET)
@view
def version(_: Request) -> Response:
    """Return the facts of the packaged release."""
    return http.json_response(packaged_release().facts.summary)


@app.route("/report", **GET)
@view
def report(request: Request) -> Response:
    """Return the report of the packaged release."""
    return http.report_response(request, assets.report())


@app.route("/api", **GET)
@view
def api(request: Request) -> Response:
    """Return the page about this API."""
    from chalicelib import api_page  # no other route needs it

    return api_page.response(request)


@app.route("/openapi.json", **GET)
@view
def openapi(_: Request) -> Response:
    """Return the OpenAPI document of this API."""
    from chalicelib import openapi  # no other route needs it

    return http.json_response(openapi.document(feedback.collection()))


@app.route("/static/{name}", **GET)
@view
def static(request: Request, name: str) -> Response:
    """Return a file of `static/`."""
    return http.asset_response(request, assets.asset(name))


@app.route("/{path}", **GET)
@view
def not_found(_: Request, path: str) -> Response:
    """Report an unknown address; API Gateway itself refuses those with more than two segments."""
    raise NotFoundError(f"There is nothing at /{path[:80]}. The page is at the root of this site.")


@app.route("/{path}/{rest}", **GET)
@view
def not_found_below(_: Request, path: str, rest: str) -> Response:
    """Report an unknown address of two segments."""
    raise NotFoundError(f"There is nothing at /{path[:80]}/{rest[:80]}. The page is at the root of this site.")
