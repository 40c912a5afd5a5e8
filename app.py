"""HTTP only: routes, and the errors of routes -> answers. What the answers say is in `chalicelib`."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from chalice.app import Chalice, CORSConfig, Request, Response

from chalicelib import assets, http, release, request_log
from chalicelib.documents import problem
from chalicelib.endpoint import GATEWAY_SECONDS, Endpoint, connect, endpoint_name
from chalicelib.errors import MethodNotAllowedError, ReleaseError, SentimentError
from chalicelib.http import Answer, Call
from chalicelib.negotiation import Representation
from chalicelib.sentiment import judge
from chalicelib.startup import lasting

app = Chalice(app_name="verdict")
ANYWHERE = CORSConfig(allow_origin="*", allow_headers=["Accept"], expose_headers=["X-Request-Id", "Retry-After"])
READING = {"methods": ["GET", "HEAD"], "content_types": ["*/*"], "cors": ANYWHERE}


@cache
def packaged_release() -> release.Release:
    """Read the packaged release once; raises `ReleaseError`, at every call, while it is refused."""
    return release.load()


@cache
def endpoint() -> Endpoint:
    """Make the endpoint's client once, fitted to the time that this function's requests have."""
    name = endpoint_name(packaged_release().encoder.fingerprint)
    with lasting():
        return Endpoint(connect(time_left()()), name)


def time_left() -> Callable[[], float]:
    """Start a clock of the seconds that this request has left, at the gateway and in Lambda."""
    gateway_deadline = time.monotonic() + GATEWAY_SECONDS
    context = app.lambda_context
    return lambda: min(gateway_deadline - time.monotonic(), context.get_remaining_time_in_millis() / 1000)


def call_of(request: Request) -> Call:
    """Make a `Call` of Chalice's request."""
    context = request.context
    return Call(
        method=request.method,
        route=context["resourcePath"],
        base=base_of(context),
        headers=request.headers,
        query=request.query_params or {},
        body=body_of(request.to_original_event()),
        request_id=context.get("requestId") or app.lambda_context.aws_request_id,
    )


def body_of(event: Mapping[str, Any]) -> bytes | None:
    """Return the body that came, None where it cannot be decoded: strictly, since Chalice passes over bad base64."""
    body = event.get("body") or b""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body if isinstance(body, bytes) else body.encode()
    except ValueError:
        return None


def base_of(context: Mapping[str, Any]) -> str:
    """Return the path the app is mounted at, which is the path less the route: `/prod/predict` -> `/prod/`."""
    path = [part for part in context["path"].split("/") if part]
    route = [part for part in context["resourcePath"].split("/") if part]
    return "/".join(["", *path[: len(path) - len(route)], ""])


def answering(route: Callable[..., Answer]) -> Callable[..., Response]:
    """Make a Chalice route of a function from a `Call` to an `Answer`; an error becomes its answer, and a log line."""

    @wraps(route)
    def chalice_route(**path_parameters: str) -> Response:
        started = time.perf_counter()
        call = call_of(app.current_request)  # type: ignore[arg-type]  # there is one inside a route
        try:
            answer = route(call, **path_parameters)
        except ReleaseError as error:
            answer = http.refusal(call, error, None)
        except SentimentError as error:
            answer = http.refusal(call, error, packaged_release())
        request_log.write(call, answer, milliseconds=(time.perf_counter() - started) * 1000)
        body = "" if call.method == "HEAD" else answer.body
        headers = {"Cache-Control": "no-store", "Content-Type": answer.media_type}
        return Response(body, {**headers, **http.common_headers(call), **answer.headers}, answer.status)

    return chalice_route


@app.middleware("http")
def tell_problems(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Give what Chalice says of a failure by itself (a wrong method, a bug) the form of our own errors."""
    response = get_response(request)
    if isinstance(response.body, dict):
        call = call_of(request)
        kind = MethodNotAllowedError if response.status_code == MethodNotAllowedError.status else SentimentError
        error = kind(str(response.body.get("Message")))
        response.body = json.dumps(problem(error, call.request_id))
        response.headers.update({"Content-Type": http.PROBLEM_TYPE, **http.common_headers(call)})
        request_log.write(call, Answer("", http.PROBLEM_TYPE, error.status, facts={"problem": error.type}))
    return response


@app.route("/", **READING)
@answering
def index(call: Call) -> Answer:
    """Show the page."""
    return http.page_answer(call, packaged_release())


@app.route("/predict", methods=["POST"], content_types=["*/*"], cors=ANYWHERE)
@answering
def predict(call: Call) -> Answer:
    """Judge the reviews of a text, a form or a JSON body."""
    left = time_left()
    asked = call.read()
    chosen = call.representation(asked.in_kind)
    explained = asked.explained and chosen is not Representation.TEXT
    judgement = judge(asked.reviews, packaged_release(), endpoint, left, explained=explained)
    answer = http.verdict_answer(call, asked, judgement, packaged_release(), chosen)
    answer.facts.update(judgement.facts, release=packaged_release().release_id)
    return answer


@app.route("/health", **READING)
@answering
def health(_: Call) -> Answer:
    """Say that the app answers; nothing else is asked."""
    return http.json_answer({"status": "ok"})


@app.route("/ready", **READING)
@answering
def ready(_: Call) -> Answer:
    """Ask the endpoint to score a row without terms, and say that it did."""
    row = packaged_release().encoder.row([])
    variant = endpoint().scores([row], time_left()).variant
    return http.json_answer({"status": "ready", "release": packaged_release().release_id, "variant": variant})


@app.route("/version", **READING)
@answering
def version(_: Call) -> Answer:
    """Say which release this app was packaged with."""
    return http.json_answer(packaged_release().facts.summary)


@app.route("/report", **READING)
@answering
def report(call: Call) -> Answer:
    """Show the report that the release was packaged with."""
    return http.report_answer(call, assets.report())


@app.route("/openapi.json", **READING)
@answering
def describe(_: Call) -> Answer:
    """Describe this API."""
    from chalicelib import openapi  # not needed for any other answer

    return http.json_answer(openapi.document())


@app.route("/static/{name}", **READING)
@answering
def static(call: Call, name: str) -> Answer:
    """Serve a file of `static/`."""
    return http.asset_answer(call, assets.asset(name))
