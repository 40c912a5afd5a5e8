"""Generated Lambda events: whatever the event, the handler returns a response, and never raises.

The events are those of API Gateway, Function URLs, load balancers and schedules, with fields that are missing or of
another type, and any other JSON. The endpoint is replaced by a constant score.
"""

import io
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

from chalice.local import LambdaContext
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import app
from benchmarks.handler import FUNCTION_MILLISECONDS, event, stubbed_network

ENVIRONMENT = {
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "fuzz",
    "AWS_SECRET_ACCESS_KEY": "fuzz",
    "AWS_DEFAULT_REGION": "us-east-1",
}
INTERNAL_ERROR = 500
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "DELETE", "get", "")
PATHS = (
    "/",
    "/predict",
    "/health",
    "/ready",
    "/static/app.js",
    "/openapi.json",
    "/dev/predict",
    "/a/b/c",
    "",
    "//",
    "/%ff",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
BODIES = (
    st.none() | st.text(max_size=40) | st.sampled_from(['{"review": "Good."}', '{"reviews": ["a", 1]}', "review=Good"])
)
TYPES = ("text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "?")
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "accept", "content-encoding", "cookie"]) | st.text(max_size=8),
    st.sampled_from([*TYPES, "text/html", "*/*", "gzip"]) | st.text(max_size=12),
    max_size=4,
)


def events() -> SearchStrategy[Any]:
    """Return events."""
    return _event()


@st.composite
def _event(draw: Any) -> Any:
    """Generate an event."""
    kind = draw(st.sampled_from([_rest, _payload_2, _load_balancer, None]))
    if kind is None:
        keys = st.sampled_from(["source", "warmer", "ping", "requestContext", "Records", "httpMethod"])
        return draw(JSON | st.dictionaries(keys, JSON, max_size=3))
    made = kind(draw(st.sampled_from(METHODS)), draw(st.sampled_from(PATHS)))
    made |= {"body": draw(BODIES), "headers": draw(HEADERS), "isBase64Encoded": draw(st.booleans())}
    return _changed(draw, made)


def _changed(draw: Any, made: dict[str, Any]) -> dict[str, Any]:
    """Remove or replace some fields of an event and of its context."""
    for part in (made, made["requestContext"]):
        for name in draw(st.lists(st.sampled_from(sorted(part)), max_size=2, unique=True)):
            if draw(st.booleans()):
                del part[name]
            else:
                part[name] = draw(JSON)
    return made


def _rest(method: str, path: str) -> dict[str, Any]:
    made = event("Good.")
    return made | {
        "requestContext": made["requestContext"] | {"httpMethod": method, "resourcePath": path, "path": path}
    }


def _payload_2(method: str, path: str) -> dict[str, Any]:
    context = {"http": {"method": method, "path": path}, "requestId": "fuzz", "stage": "$default"}
    return {"version": "2.0", "rawPath": path, "rawQueryString": "v=1&v=%ff", "requestContext": context}


def _load_balancer(method: str, path: str) -> dict[str, Any]:
    parameters = {"v": "a%20b"}
    context = {"elb": {"targetGroupArn": "arn"}}
    return {"httpMethod": method, "path": path, "queryStringParameters": parameters, "requestContext": context}


@contextmanager
def handler_environment() -> Iterator[None]:
    """Configure the app for an endpoint that returns a constant, and hide its log lines."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    app.endpoint.cache_clear()
    try:
        logging.disable()
        with redirect_stdout(io.StringIO()), stubbed_network():
            yield
    finally:
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(before)
        app.endpoint.cache_clear()


def check(made: Any) -> None:
    """Raise an exception unless the handler returns an HTTP response, or an answer to what is not a request."""
    response = app.app(made, LambdaContext("verdict", 512, FUNCTION_MILLISECONDS))
    json.dumps(response)
    if not (isinstance(response, Mapping) and (response.get("statusCode") or response.get("status"))):
        raise AssertionError(f"neither a response nor a status: {response!r}")
    if response.get("statusCode") == INTERNAL_ERROR:
        raise AssertionError(f"an exception that the app does not handle: {response!r}")
