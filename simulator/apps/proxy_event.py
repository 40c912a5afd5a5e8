"""API Gateway's Lambda proxy: an HTTP request -> the event a function gets; what it returns -> an HTTP answer.

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
from urllib.parse import parse_qs

from simulator.runtime import ACCOUNT
from simulator.wire import Answer, Request


@dataclass(frozen=True)
class Target:
    """Where in an API a request arrived. `mounted` is the path that the client sees the stage at."""

    api: str
    stage: str
    resource: str  # as the API defines it: "/static/{name}"
    path: str  # as it came, below the stage: "/static/style.css"
    parameters: dict[str, str]
    mounted: str


def event_of(request: Request, target: Target, binary_types: Sequence[str]) -> dict[str, Any]:
    """Return the event of a request."""
    query = parse_qs(request.target.partition("?")[2], keep_blank_values=True)
    headers = {**request.headers, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}
    body, is_base64 = _text_of(request.body, _media_type(headers.get("content-type", "")) in binary_types)
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
        "body": body,
        "isBase64Encoded": is_base64,
    }


def answer_of(returned: Any, request: Request, binary_types: Sequence[str], smallest_gzip_bytes: int | None) -> Answer:
    """Return the answer of what a function returned; raises `ValueError` for what the gateway cannot use."""
    if not isinstance(returned, dict) or not str(returned.get("statusCode", "")).isdecimal():
        raise ValueError("the function's answer has no statusCode")
    many = {name: ", ".join(map(str, values)) for name, values in (returned.get("multiValueHeaders") or {}).items()}
    headers = {**many, **{name: str(value) for name, value in (returned.get("headers") or {}).items()}}
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    body = str(returned.get("body") or "").encode()
    first_accepted = _media_type(request.headers.get("accept", "").partition(",")[0])
    if returned.get("isBase64Encoded") and (first_accepted in binary_types or "*/*" in binary_types):
        body = base64.b64decode(body)
    if smallest_gzip_bytes is not None and len(body) >= smallest_gzip_bytes and _takes_gzip(request):
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return Answer(int(returned["statusCode"]), body, headers)


def _context(request: Request, target: Target) -> dict[str, Any]:
    """Return what the gateway tells of a request beside the request itself."""
    now = datetime.now(UTC)
    host = request.headers.get("host", "")
    return {
        "accountId": ACCOUNT,
        "apiId": target.api,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "extendedRequestId": uuid.uuid4().hex[:15],
        "httpMethod": request.method,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": request.headers.get("user-agent")},
        "path": f"{target.mounted}{target.path}",
        "protocol": "HTTP/1.1",
        "requestId": str(uuid.uuid4()),
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(time.time() * 1000),
        "resourcePath": target.resource,
        "stage": target.stage,
    }


def _text_of(body: bytes, is_binary: bool) -> tuple[str | None, bool]:
    """Return a body as JSON can hold it, and whether that is base64; None for an empty one."""
    if not body:
        return None, False
    return (base64.b64encode(body).decode(), True) if is_binary else (body.decode(errors="replace"), False)


def _media_type(header: str) -> str:
    """`text/css; charset=utf-8` -> `text/css`."""
    return header.partition(";")[0].strip().lower()


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
