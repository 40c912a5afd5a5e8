"""Bucket policies in a form that moto reads as AWS does: it heeds no condition, and so would refuse everything that a
statement refuses over plain HTTP only.

Whoever comes over the loopback counts as one who came over HTTPS. A statement about plain HTTP is therefore stored
with a principal that nobody is, and given back as it came.
"""

import json
from typing import Any

from simulator.wire import Answer, Request

_EVERYBODY, _NOBODY = "*", "whoever comes over plain HTTP"
_PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def is_policy(request: Request) -> bool:
    """Tell whether a request sets a bucket's policy or asks for it."""
    return request.scope[1] == "s3" and request.target.partition("?")[2] == "policy"


def for_moto(policy: bytes) -> bytes:
    """Return a policy with its statements about plain HTTP out of force; what is no policy, unchanged."""
    try:
        document = json.loads(policy)
        statements = document["Statement"]
    except (ValueError, TypeError, KeyError):
        return policy
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps(document | {"Statement": [_out_of_force(one) for one in listed]}).encode()


def given_back(answer: Answer) -> Answer:
    """Return moto's answer with the policy as it came."""
    told, meant = (json.dumps(who).encode() for who in (_NOBODY, _EVERYBODY))
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    return Answer(answer.status, answer.body.replace(told, meant), headers)


def _out_of_force(statement: dict[str, Any]) -> dict[str, Any]:
    concerned = statement.get("Condition") == _PLAIN_HTTP and statement.get("Principal") == _EVERYBODY
    return statement | {"Principal": _NOBODY} if concerned else statement
