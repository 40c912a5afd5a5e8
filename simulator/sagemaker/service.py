"""SageMaker's own protocol (JSON 1.1): an operation's name and body -> its answer.

What a request may hold is decided by botocore's service model (names, types, limits, patterns); what it means, by the
operation's function. An operation that is not in the table is answered as an unknown one, and says so.
"""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.sagemaker.backend import Backend, ServiceError
from simulator.wire import Answer
from training.tuning.service_model import operation_shapes, shape_problems

Operation = Callable[[Backend, dict[str, Any]], dict[str, Any]]
CONTENT_TYPE = "application/x-amz-json-1.1"


def answer(world: Backend, operations: dict[str, Operation], name: str, body: bytes) -> Answer:
    """Answer one request of the control plane."""
    try:
        return _performed(world, operations, name, body)
    except ServiceError as error:
        return error_answer(error.code, error.message, error.status)


def error_answer(code: str, message: str, status: int = 400) -> Answer:
    """Return an error in the JSON 1.1 shape."""
    return json_1_1(status, {"__type": code, "message": message})


def _performed(world: Backend, operations: dict[str, Operation], name: str, body: bytes) -> Answer:
    """Check a request, meet the mishap that was ordered for it, perform it, and write down what came of it."""
    if name not in operations:
        raise ServiceError("UnknownOperationException", f"The simulator does not know {name}.")
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The body is no JSON: {error}") from error
    takes, _ = operation_shapes(name)
    problems = shape_problems(takes, request, name) if takes else []
    if problems:
        raise ServiceError("ValidationException", f"{len(problems)} validation errors detected: {' '.join(problems)}")
    refusal = world.fault_injector.refusal(name)
    if refusal:
        raise ServiceError(refusal.code, refusal.message, refusal.status)
    with world.lock:  # also while it is written: background work changes what an operation returns
        return json_1_1(200, operations[name](world, request))


def json_1_1(status: int, document: dict[str, Any]) -> Answer:
    """Return a document as the protocol writes it."""
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id()}
    return Answer(status, json.dumps(document, default=_moment).encode(), headers)


def request_id() -> str:
    """Return an id for an answer."""
    return str(uuid.uuid4())


def _moment(value: object) -> float:
    """Write a time as the protocol does: seconds since 1970."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} is nothing that an answer holds")
