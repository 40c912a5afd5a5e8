"""The SageMaker API's protocol (JSON 1.1): dispatches a request to its operation and writes the response.

botocore's service model decides what a request may contain (names, types, limits, patterns). The operation decides what
it means.
"""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.http.messages import HttpResponse
from simulator.sagemaker.backend import Backend, InvalidRequestError, ServiceError
from training.tuning.service_model import operation_shapes, shape_problems

Operation = Callable[[Backend, dict[str, Any]], dict[str, Any]]
CONTENT_TYPE = "application/x-amz-json-1.1"


def answer(backend: Backend, operations: dict[str, Operation], name: str, body: bytes) -> HttpResponse:
    """Answer one request."""
    try:
        return _perform(backend, operations, name, body)
    except ServiceError as error:
        return error_answer(error.code, error.message, error.status)


def error_answer(code: str, message: str, status: int = 400) -> HttpResponse:
    """Return an error in the protocol's shape."""
    return json_1_1(status, {"__type": code, "message": message})


def _perform(backend: Backend, operations: dict[str, Operation], name: str, body: bytes) -> HttpResponse:
    """Validate a request, apply an injected fault if there is one, and perform the operation."""
    if name not in operations:
        raise ServiceError("UnknownOperationException", f"The simulator does not support {name}.")
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The request body is not valid JSON: {error}") from error
    input_shape, _ = operation_shapes(name)
    problems = shape_problems(input_shape, request, name) if input_shape else []
    if problems:
        raise InvalidRequestError(f"{len(problems)} validation errors detected: {' '.join(problems)}")
    refusal = backend.fault_injector.take_error(name)
    if refusal:
        raise ServiceError(refusal.code, refusal.message, refusal.status)
    with backend.lock:  # held until the response is written, because background work changes resources
        return json_1_1(200, operations[name](backend, request))


def json_1_1(status: int, document: dict[str, Any]) -> HttpResponse:
    """Write a document as a response."""
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id()}
    return HttpResponse(status, json.dumps(document, default=_timestamp).encode(), headers)


def request_id() -> str:
    """Return a new request id."""
    return str(uuid.uuid4())


def _timestamp(value: object) -> float:
    """Convert a time to the protocol's form, seconds since 1970."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot be written as JSON")
