"""Injected errors in the services that moto simulates: the operation of a request, and errors in each protocol.

Requests of the REST protocols are matched by method, path and parameters with botocore's service models; the other
protocols name the operation in a header or in the body.
"""

import re
import uuid
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import OperationModel, ServiceModel

from simulator.faults.operation_faults import InjectedError
from simulator.http.messages import HttpRequest, HttpResponse, json_response
from simulator.sagemaker.service import error_answer

_MODELS = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}  # signing name -> service, if they differ
_XML_ERRORS = {  # code of the JSON protocols -> (code, status) of the older XML protocols
    "AccessDeniedException": ("AccessDenied", 403),
    "ThrottlingException": ("Throttling", 400),
    "ExpiredTokenException": ("ExpiredToken", 403),
}
_S3_ERRORS = {**_XML_ERRORS, "ThrottlingException": ("SlowDown", 503)}


def operation_of(request: HttpRequest) -> str:
    """Return the name of the requested operation; "" if it is unknown."""
    if request.action[1]:
        return request.action[1]
    if request.mimetype == "application/x-www-form-urlencoded":
        return request.form.get("Action", "")
    return _rest_operation(request)


def error_response(request: HttpRequest, error: InjectedError) -> HttpResponse:
    """Return an error in the protocol of the request."""
    protocol = _protocol(request)
    code, status = (_S3_ERRORS if protocol == "rest-xml" else _XML_ERRORS).get(error.code, (error.code, error.status))
    members = f"<Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"
    request_id = f"<RequestId>{uuid.uuid4()}</RequestId>"
    if protocol == "rest-xml":
        return _xml_response(status, f"<Error>{members}{request_id}</Error>")
    if protocol == "query":
        members = f"<Error><Type>Sender</Type>{members}</Error>"
        return _xml_response(status, f"<ErrorResponse>{members}{request_id}</ErrorResponse>")
    if protocol == "ec2":
        return _xml_response(status, f"<Response><Errors><Error>{members}</Error></Errors>{request_id}</Response>")
    if protocol == "json":
        return error_answer(error.code, error.message, error.status)
    response = json_response({"message": error.message}, error.status)
    return HttpResponse(response.status, response.body, {**response.headers, "x-amzn-ErrorType": error.code})


def _xml_response(status: int, document: str) -> HttpResponse:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'
    return HttpResponse(status, body.encode(), {"Content-Type": "text/xml"})


def _protocol(request: HttpRequest) -> str:
    """Return the protocol of a request."""
    if request.action[1]:
        return "json"
    model = _model(request.scope[1])
    return str(model.metadata["protocol"]) if model else "rest-xml"


@cache
def _model(signing_name: str) -> ServiceModel | None:
    """Load the model of a service; None if botocore does not have it."""
    session = botocore.session.get_session()
    name = _MODELS.get(signing_name, signing_name)
    return session.get_service_model(name) if name in session.get_available_services() else None


def _rest_operation(request: HttpRequest) -> str:
    """Find the operation by method and path; of several, the operation that requires most parameters."""
    given = {*request.args, *(name.lower() for name, _ in request.headers)}
    path = request.encoded_path.rstrip("/") or "/"
    matches = [
        (len(required), -len(name), name)
        for method, pattern, required, name in _rest_operations(request.scope[1])
        if method == request.method and pattern.fullmatch(path) and required <= given
    ]
    return max(matches, default=(0, 0, ""))[2]


@cache
def _rest_operations(signing_name: str) -> list[tuple[str, re.Pattern[str], set[str], str]]:
    """Return (method, pattern of the path, required parameters and headers, name) of all operations."""
    model = _model(signing_name)
    if not model:
        return []
    operations = [model.operation_model(name) for name in model.operation_names]
    return [
        (
            operation.http["method"],
            _pattern(operation.http["requestUri"].partition("?")[0]),
            set(_required(operation)),
            operation.name,
        )
        for operation in operations
    ]


def _pattern(template: str) -> re.Pattern[str]:
    """`/{Bucket}/{Key+}` -> a pattern of such paths."""
    parts = re.split(r"(\{[^}]+\})", template.rstrip("/") or "/")
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith("+}") else "[^/]+"


def _required(operation: OperationModel) -> Iterator[str]:
    """Yield the required parameters and headers of an operation, header names in lower case."""
    query = operation.http["requestUri"].partition("?")[2]
    yield from parse_qs(query, keep_blank_values=True)
    shape = operation.input_shape
    for name in shape.required_members if shape else ():
        where = shape.members[name].serialization
        if where.get("location") in ("querystring", "header"):
            yield where["name"].lower() if where["location"] == "header" else where["name"]
