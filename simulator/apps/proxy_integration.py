"""API Gateway's Lambda proxy integration: HTTP request -> event, and the function's result -> HTTP response.

`chalice.local.LambdaEventConverter` does not suffice: its events lack resource, path, headers with several values,
request ids and the stage, their body may be bytes, and it has no counterpart for binary or compressed responses.
Source: "Lambda proxy integrations in API Gateway", payload format 1.0, of the API Gateway developer guide.
"""

import base64
import gzip
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.endpoint.runtime import ACCOUNT
from simulator.http.messages import HttpRequest, HttpResponse


@dataclass(frozen=True)
class Target:
    """The matched resource of an API. `base_path` is the path at which the client sees the stage."""

    api: str
    stage: str
    resource: str  # as the API defines it: "/static/{name}"
    path: str  # below the stage: "/static/style.css"
    parameters: dict[str, str]
    base_path: str


def lambda_event(request: HttpRequest, target: Target, binary_types: Sequence[str]) -> dict[str, Any]:
    """Return the event for a request."""
    query = request.args.to_dict(flat=False)
    headers = {name.lower(): value for name, value in request.headers}
    headers |= {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}
    is_binary = bool(request.body) and request.mimetype in binary_types
    body = base64.b64encode(request.body).decode() if is_binary else request.body.decode(errors="replace")
    return {
        "resource": target.resource,
        "path": target.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": target.parameters or None,
        "stageVariables": None,
        "requestContext": _context(request, target),
        "body": body or None,
        "isBase64Encoded": is_binary,
    }


def http_response(
    result: Any, request: HttpRequest, binary_types: Sequence[str], smallest_gzip_bytes: int | None
) -> HttpResponse:
    """Return the response for a function's result; raises `ValueError` for a malformed result."""
    if not isinstance(result, dict) or not str(result.get("statusCode", "")).isdecimal():
        raise ValueError("the function's result has no statusCode")
    several = {name: ", ".join(map(str, values)) for name, values in (result.get("multiValueHeaders") or {}).items()}
    headers = {**several, **{name: str(value) for name, value in (result.get("headers") or {}).items()}}
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    body = str(result.get("body") or "").encode()
    first_accepted = request.headers.get("Accept", "").partition(",")[0].partition(";")[0].strip().lower()
    if result.get("isBase64Encoded") and (first_accepted in binary_types or "*/*" in binary_types):
        body = base64.b64decode(body)
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    if smallest_gzip_bytes is not None and len(body) >= smallest_gzip_bytes and takes_gzip:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return HttpResponse(int(result["statusCode"]), body, headers)


def _context(request: HttpRequest, target: Target) -> dict[str, Any]:
    """Return the event's request context."""
    return {
        "accountId": ACCOUNT,
        "apiId": target.api,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "extendedRequestId": uuid.uuid4().hex[:15],
        "httpMethod": request.method,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": request.headers.get("User-Agent")},
        "path": f"{target.base_path}{target.path}",
        "protocol": "HTTP/1.1",
        "requestId": str(uuid.uuid4()),
        "requestTime": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(time.time() * 1000),
        "resourcePath": target.resource,
        "stage": target.stage,
    }
