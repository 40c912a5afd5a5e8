"""A warm function's own time: both real handlers, with a stub in place of the network.

botocore sends all requests by one method. During the measurement that method returns a score without sending anything,
so that only the handlers' own time is left. The new connection that the tutorial opens per request is not included; it
is in the full round trip, which is measured too.
"""

import io
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from itertools import cycle
from typing import Any, cast

import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from chalice.local import LambdaContext

import app
from benchmarks.comparison import Comparison, measure_in_turns
from benchmarks.tutorial import TutorialFunction
from simulator.endpoint.local_endpoint import LocalEndpoint

LARGEST_RATIO = 1 / 10
LARGEST_EXPLAINED_RATIO = 5.0  # of an explained review to the same review without an explanation
EXPLAINED_WORDS = (230, 1_000, 3_000)
FUNCTION_MILLISECONDS = 28_000
_SCORE = b"0.9\n"


def event(review: str) -> dict[str, Any]:
    """Return the event of `POST /predict` with a review as plain text, as the tutorial's page sends it."""
    return {
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/predict",
            "path": "/dev/predict",
            "requestId": "benchmark",
        },
        "headers": {"content-type": "text/plain"},
        "pathParameters": None,
        "stageVariables": None,
        "multiValueQueryStringParameters": None,
        "body": review,
        "isBase64Encoded": False,
    }


def measure(
    reviews: Sequence[str], column_of: Mapping[str, int], endpoint: LocalEndpoint, rounds: int
) -> list[Comparison]:
    """Send reviews to both handlers in turns; the measurements are milliseconds per request of a warm handler."""
    tutorial = TutorialFunction(endpoint.name, column_of)
    texts = cycle(reviews)
    contestants = {
        "ours": lambda: _milliseconds(app.app, next(texts)),
        "theirs": lambda: _milliseconds(tutorial, next(texts)),
    }
    with _function_environment(endpoint):
        measure_in_turns(contestants, 2)  # warm-up
        round_trip = measure_in_turns(contestants, rounds)
        with stubbed_network():
            own = measure_in_turns(contestants, rounds)
    return [
        Comparison("handler without the call", "ms", own["ours"], own["theirs"], LARGEST_RATIO),
        Comparison("handler and local endpoint", "ms", round_trip["ours"], round_trip["theirs"]),
    ]


def measure_explained(reviews: Sequence[str], endpoint: LocalEndpoint, rounds: int) -> list[Comparison]:
    """Judge reviews of three lengths with and without an explanation, in turns; with the real round trip."""
    words = " ".join(reviews).split()
    comparisons = []
    with _function_environment(endpoint):
        for count in EXPLAINED_WORDS:
            text = " ".join(words[:count])
            contestants = {
                "explained": lambda text=text: _milliseconds_of_json(text, explain=True),
                "plain": lambda text=text: _milliseconds_of_json(text, explain=False),
            }
            measure_in_turns(contestants, 2)  # warm-up
            spent = measure_in_turns(contestants, rounds)
            comparisons.append(
                Comparison(
                    f"explained, {count} words",
                    "ms",
                    spent["explained"],
                    spent["plain"],
                    LARGEST_EXPLAINED_RATIO,
                )
            )
    return comparisons


def _milliseconds_of_json(review: str, *, explain: bool) -> float:
    """Time one JSON request; raises `RuntimeError` unless the response has an explanation as requested."""
    request = event(json.dumps({"review": review, "explain": explain}))
    request["headers"] = {"content-type": "application/json"}
    context = LambdaContext("verdict", 512, FUNCTION_MILLISECONDS)
    started = time.perf_counter()
    response = app.app(request, context)
    spent = time.perf_counter() - started
    if bool(json.loads(response["body"]).get("sentences")) is not explain:
        raise RuntimeError(f"The handler returned {response['statusCode']}: {response['body']}")
    return spent * 1000


def _milliseconds(handler: Any, review: str) -> float:
    """Time one request; raises `RuntimeError` unless the response is a digit."""
    request, context = event(review), LambdaContext("verdict", 512, FUNCTION_MILLISECONDS)
    started = time.perf_counter()
    response = handler(request, context)
    spent = time.perf_counter() - started
    if response["body"] not in {"0", "1"}:
        raise RuntimeError(f"A handler returned {response['statusCode']}: {response['body']}")
    return spent * 1000


@contextmanager
def stubbed_network() -> Iterator[None]:
    """Return a score to botocore's requests without sending them."""
    session_class = cast("Any", URLLib3Session)  # the stubs allow no assignment
    send = session_class.send

    def respond(_session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        raw = urllib3.HTTPResponse(io.BytesIO(_SCORE), preload_content=False)
        return AWSResponse(request.url, 200, cast("Any", {}), cast("Any", raw))

    session_class.send = respond
    try:
        yield
    finally:
        session_class.send = send


def environment_of(endpoint: LocalEndpoint) -> dict[str, str]:
    """Return the environment of a function that calls this endpoint."""
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint.url,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENDPOINT_NAME": endpoint.name,
    }


@contextmanager
def _function_environment(endpoint: LocalEndpoint) -> Iterator[None]:
    """Set the environment of a function that calls this endpoint, and hide the function's log lines."""
    before = dict(os.environ)
    os.environ.update(environment_of(endpoint))
    app.endpoint.cache_clear()
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        app.endpoint.cache_clear()
