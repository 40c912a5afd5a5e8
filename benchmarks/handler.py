"""A warm function's time around the call of the endpoint: both real handlers, on a wire that answers at once.

botocore sends through one method. While this runs, that method answers a score without sending, for both alike: what
is left is the handlers' own time. The tutorial's connection, new in each request, therefore costs it nothing here;
it does in the whole round trip, which is shown beside.
"""

import io
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
from benchmarks.comparison import Comparison, in_turns
from benchmarks.tutorial import TutorialFunction
from simulator.server import LocalEndpoint

LARGEST_RATIO = 1 / 10
FUNCTION_MILLISECONDS = 28_000
_SCORE = b"0.9\n"


def event(review: str) -> dict[str, Any]:
    """Return the event of `POST /predict` with a review as text, which is the tutorial's call."""
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
    """Ask both handlers about one review after another, in turns, each of them warm; milliseconds a request."""
    tutorial = TutorialFunction(endpoint.name, column_of)
    texts = cycle(reviews)
    contestants = {
        "ours": lambda: _milliseconds(app.app, next(texts)),
        "theirs": lambda: _milliseconds(tutorial, next(texts)),
    }
    with _as_a_function(endpoint):
        in_turns(contestants, 2)  # warm
        whole = in_turns(contestants, rounds)
        with answered_at_once():
            around = in_turns(contestants, rounds)
    return [
        Comparison("handler around the call", "ms", around["ours"], around["theirs"], LARGEST_RATIO),
        Comparison("handler and local endpoint", "ms", whole["ours"], whole["theirs"]),
    ]


def _milliseconds(handler: Any, review: str) -> float:
    """Time one request, which must be answered with a digit."""
    request, context = event(review), LambdaContext("verdict", 512, FUNCTION_MILLISECONDS)
    started = time.perf_counter()
    answer = handler(request, context)
    spent = time.perf_counter() - started
    if answer["body"] not in {"0", "1"}:
        raise RuntimeError(f"A handler answered {answer['statusCode']}: {answer['body']}")
    return spent * 1000


@contextmanager
def answered_at_once() -> Iterator[None]:
    """Let botocore's requests be answered with a score, without a wire."""
    session_class = cast("Any", URLLib3Session)  # the stubs allow no assignment
    send = session_class.send

    def answer(_session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        raw = urllib3.HTTPResponse(io.BytesIO(_SCORE), preload_content=False)
        return AWSResponse(request.url, 200, cast("Any", {}), cast("Any", raw))

    session_class.send = answer
    try:
        yield
    finally:
        session_class.send = send


@contextmanager
def _as_a_function(endpoint: LocalEndpoint) -> Iterator[None]:
    """Give this process the environment of a function that asks this endpoint, and keep its log lines from view."""
    settings = {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint.url,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENDPOINT_NAME": endpoint.name,
    }
    before = dict(os.environ)
    os.environ.update(settings)
    app.endpoint.cache_clear()
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        app.endpoint.cache_clear()
