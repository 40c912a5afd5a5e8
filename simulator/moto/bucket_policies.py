"""Bucket policies rewritten for moto, which ignores conditions.

A statement that denies plain HTTP would deny everything there. Requests on the loopback count as HTTPS here, so such a
statement is stored with a principal that matches no request, and returned as it was sent.
"""

import json
from typing import Any

from simulator.http.messages import HttpRequest, HttpResponse

_EVERYBODY, _NOBODY = "*", "requests over plain HTTP"
_PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def concerns_policy(request: HttpRequest) -> bool:
    """Report whether a request sets or reads a bucket's policy."""
    return request.scope[1] == "s3" and request.query_string == b"policy"


def disable_https_only(policy: bytes) -> bytes:
    """Disable a policy's statements about plain HTTP; returns anything but a policy unchanged."""
    try:
        document = json.loads(policy)
        statements = document["Statement"]
    except (ValueError, TypeError, KeyError):
        return policy
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps(document | {"Statement": [_disabled(statement) for statement in listed]}).encode()


def restore(response: HttpResponse) -> HttpResponse:
    """Restore the policy in moto's response."""
    stored, original = (json.dumps(principal).encode() for principal in (_NOBODY, _EVERYBODY))
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return HttpResponse(response.status, response.body.replace(stored, original), headers)


def _disabled(statement: dict[str, Any]) -> dict[str, Any]:
    applies = statement.get("Condition") == _PLAIN_HTTP and statement.get("Principal") == _EVERYBODY
    return statement | {"Principal": _NOBODY} if applies else statement
