"""Answers that API Gateway gives by itself, never asking the app: problem documents too, and readable from other sites.

Source: `x-amazon-apigateway-gateway-responses` in the API Gateway developer guide. A body is filled in by plain
substitution of `$context` variables; `$context.error.messageString` brings its own quotes.
"""

import json
from typing import Any

from chalicelib.documents import problem
from chalicelib.endpoint_errors import SLOW, EndpointError
from chalicelib.errors import BodyTooLargeError, NotFoundError, SentimentError
from chalicelib.http import PROBLEM_TYPE

JsonObject = dict[str, Any]

REQUEST_ID = "$context.requestId"
MESSAGE = "$context.error.messageString"


class TooManyRequestsError(SentimentError):
    """The stage's throttle let a request go no further."""

    type = "too-many-requests"
    title = "Too many requests"
    status = 429
    retry_after_seconds = 1


class RefusedError(SentimentError):
    """The gateway refused a request for a reason of its own; it chooses the status."""

    type = "gateway-refused"
    title = "The gateway refused the request"


def gateway_responses() -> JsonObject:
    """Return every response type that is answered our way, as the API's definition takes them."""
    told: dict[str, SentimentError] = {
        "MISSING_AUTHENTICATION_TOKEN": NotFoundError("Nothing is served at this address, or not by this method."),
        "THROTTLED": TooManyRequestsError("This site is asked too much right now. Try again in a moment."),
        "REQUEST_TOO_LARGE": BodyTooLargeError("The request is larger than the gateway takes."),
        "INTEGRATION_TIMEOUT": EndpointError(SLOW, "IntegrationTimeout"),
    }
    return {kind: _response(error) for kind, error in told.items()} | {
        "DEFAULT_4XX": _default(RefusedError(MESSAGE)),
        "DEFAULT_5XX": _default(SentimentError(MESSAGE)),
    }


def _response(error: SentimentError) -> JsonObject:
    """Answer with an error of known status."""
    body = json.dumps(problem(error, REQUEST_ID))
    return {"statusCode": str(error.status), **_answer(body, error.retry_after_seconds)}


def _default(error: SentimentError) -> JsonObject:
    """Answer what has no response of its own: its status stays, so the document states none, and its message."""
    document = problem(error, REQUEST_ID)
    del document["status"]
    return _answer(json.dumps(document).replace(f'"{MESSAGE}"', MESSAGE), None)


def _answer(body: str, retry_after_seconds: int | None) -> JsonObject:
    """Return a body and its headers; literal values stand in single quotes."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Cache-Control": "no-store",
        "Content-Type": PROBLEM_TYPE,
    }
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return {
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": body},  # what the gateway takes for any Accept header
    }
