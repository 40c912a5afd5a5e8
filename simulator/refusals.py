"""Refusals of services that moto answers for: which operation a request is, and an error in that service's protocol.

Operations of the REST protocols are told by method, path and parameters, out of botocore's service models; those of the
others say their name in a header or in the body.
"""

import re
import uuid
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import OperationModel, ServiceModel

from simulator.fault_injection import Refusal
from simulator.sagemaker.service import error_answer
from simulator.wire import Answer, Request, json_answer

_MODELS = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}  # signing name -> service, where they differ
_IN_XML = {  # the JSON protocols' codes -> (code, status) of the older XML protocols
    "AccessDeniedException": ("AccessDenied", 403),
    "ThrottlingException": ("Throttling", 400),
    "ExpiredTokenException": ("ExpiredToken", 403),
}
_IN_S3 = {**_IN_XML, "ThrottlingException": ("SlowDown", 503)}


def operation_of(request: Request) -> str:
    """Return the name of the operation that a request asks for, "" when that cannot be told."""
    if request.action[1]:
        return request.action[1]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(request.body.decode(errors="replace")).get("Action", [""])[0]
    return _rest_operation(request)


def refused(request: Request, refusal: Refusal) -> Answer:
    """Answer a request with a refusal."""
    protocol = _protocol(request)
    code, status = (_IN_S3 if protocol == "rest-xml" else _IN_XML).get(refusal.code, (refusal.code, refusal.status))
    error = f"<Code>{escape(code)}</Code><Message>{escape(refusal.message)}</Message>"
    identity = str(uuid.uuid4())
    if protocol == "rest-xml":
        return _xml(status, f"<Error>{error}<RequestId>{identity}</RequestId></Error>")
    if protocol == "query":
        error = f"<Error><Type>Sender</Type>{error}</Error><RequestId>{identity}</RequestId>"
        return _xml(status, f"<ErrorResponse>{error}</ErrorResponse>")
    if protocol == "json":
        return error_answer(refusal.code, refusal.message, refusal.status)
    answer = json_answer({"message": refusal.message}, refusal.status)
    return Answer(answer.status, answer.body, {**answer.headers, "x-amzn-ErrorType": refusal.code})


def _xml(status: int, document: str) -> Answer:
    return Answer(status, f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode(), {"Content-Type": "text/xml"})


def _protocol(request: Request) -> str:
    """Return the protocol that a request speaks."""
    if request.action[1]:
        return "json"
    model = _model(request.scope[1])
    return str(model.metadata["protocol"]) if model else "rest-xml"


@cache
def _model(signing_name: str) -> ServiceModel | None:
    """Load the model of a service; None for one that botocore does not know."""
    session = botocore.session.get_session()
    name = _MODELS.get(signing_name, signing_name)
    return session.get_service_model(name) if name in session.get_available_services() else None


def _rest_operation(request: Request) -> str:
    """Find the operation with this method and path; where several have them, the one that asks for most parameters."""
    given = {*request.query, *parse_qs(request.target.partition("?")[2], keep_blank_values=True), *request.headers}
    path = request.path.rstrip("/") or "/"
    fitting = [
        (len(needs), -len(name), name)
        for method, pattern, needs, name in _rest_operations(request.scope[1])
        if method == request.method and pattern.fullmatch(path) and needs <= given
    ]
    return max(fitting, default=(0, 0, ""))[2]


@cache
def _rest_operations(signing_name: str) -> list[tuple[str, re.Pattern[str], set[str], str]]:
    """Return (method, pattern of the path, names of parameters and headers it must have, name) of all operations."""
    model = _model(signing_name)
    if not model:
        return []
    operations = [model.operation_model(name) for name in model.operation_names]
    return [
        (one.http["method"], _pattern(one.http["requestUri"].partition("?")[0]), set(_needed(one)), one.name)
        for one in operations
    ]


def _pattern(template: str) -> re.Pattern[str]:
    """`/{Bucket}/{Key+}` -> a pattern for such paths."""
    parts = re.split(r"(\{[^}]+\})", template.rstrip("/") or "/")
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith("+}") else "[^/]+"


def _needed(operation: OperationModel) -> Iterator[str]:
    """Yield what a request must have to be this operation, header names in lower case."""
    query = operation.http["requestUri"].partition("?")[2]
    yield from parse_qs(query, keep_blank_values=True)
    shape = operation.input_shape
    for name in shape.required_members if shape else ():
        where = shape.members[name].serialization
        if where.get("location") in ("querystring", "header"):
            yield where["name"].lower() if where["location"] == "header" else where["name"]
