"""InvokeEndpoint of the SageMaker Runtime: production variants, limits, injected faults, and errors.

The shapes follow the service model of `sagemaker-runtime` (protocol rest-json, error code in `x-amzn-ErrorType`). A
container's response outside 2xx becomes a ModelError (424) that carries it. Signatures are not checked, so that curl
works too.
"""

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from werkzeug.datastructures import Headers

from simulator.container.serving import Container
from simulator.faults.endpoint_faults import DISTORTIONS, ERRORS, EndpointFault, EndpointFaultInjector
from simulator.http.messages import ConnectionCutError, HttpResponse

ACCOUNT = "123456789012"
REGION = "us-east-1"
VARIANT = "AllTraffic"
SERVERLESS_BODY_BYTES = 4 * 1024 * 1024
INSTANCE_BODY_BYTES = 6 * 1024 * 1024
INVOCATION_TIMEOUT_SECONDS = 60.0
_TIMED_OUT = b"Your invocation timed out while waiting for a response from container primary."


@dataclass(frozen=True)
class Variant:
    """A production variant: its share of the traffic is its weight over the sum of all weights."""

    name: str
    weight: float
    container: Container


class RuntimeEndpoint:
    """An endpoint with its production variants, which may be replaced while requests are answered.

    `pause` waits for a number of seconds. `draw` returns random numbers in [0, 1), which select variants.
    `on_invocation` is called after every invocation of a container, with the variant, the container's status (0: timed
    out), and the duration in seconds by `clock`.
    """

    def __init__(
        self,
        name: str,
        variants: Sequence[Variant],
        pause: Callable[[float], object],
        largest_body_bytes: int = SERVERLESS_BODY_BYTES,
        draw: Callable[[], float] = random.random,
        on_invocation: Callable[[str, int, float], None] = lambda variant, status, seconds: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name = name
        self.faults = EndpointFaultInjector()
        self.variants = tuple(variants)
        self.largest_body_bytes = largest_body_bytes
        self._pause = pause
        self._draw = draw
        self._on_invocation = on_invocation
        self._clock = clock

    def invoke(self, name: str, headers: Headers, body: bytes) -> HttpResponse:
        """Answer InvokeEndpoint; raises `ConnectionCutError` for the fault `cut`."""
        fault = self.faults.take()
        request_id = str(uuid.uuid4())
        if fault.kind == "cut":
            raise ConnectionCutError("injected fault: cut")
        if fault.kind in ERRORS:
            error = ERRORS[fault.kind]
            return error_response(error.code, error.status, error.message, request_id)
        variant = self._select_variant(headers)
        problem = self._validate(name, headers, variant, len(body), request_id)
        if problem or not variant:
            return error_response("ValidationError", 400, problem, request_id)
        started = self._clock()
        response = self._invoke_container(variant.container, fault, headers, body)
        self._on_invocation(variant.name, response.status, self._clock() - started)
        if not 200 <= response.status < 300:
            return self._model_error(response, request_id)
        added = {"x-amzn-RequestId": request_id, "x-Amzn-Invoked-Production-Variant": variant.name}
        return replace(response, headers={**response.headers, **added})

    def _select_variant(self, headers: Headers) -> Variant | None:
        """Return the requested variant, or one at random by weight; None if the requested variant does not exist."""
        variants = self.variants
        requested = headers.get("X-Amzn-SageMaker-Target-Variant")
        if requested:
            return next((variant for variant in variants if variant.name == requested), None)
        left = self._draw() * sum(variant.weight for variant in variants)
        for variant in variants:
            left -= variant.weight
            if left < 0:
                return variant
        return variants[-1]

    def _validate(self, name: str, headers: Headers, variant: Variant | None, size_bytes: int, request_id: str) -> str:
        """Return the message of the ValidationError for a request; "" for a valid request."""
        if name != self.name:
            return f"Endpoint {name} of account {ACCOUNT} not found."
        if not variant:
            return f"Variant {headers['X-Amzn-SageMaker-Target-Variant']} of endpoint {name} not found."
        if "X-Amzn-SageMaker-Target-Model" in headers:
            return f"Endpoint {name} is not a multi-model endpoint: TargetModel must not be given."
        if size_bytes > self.largest_body_bytes:
            return f"Request {request_id} has oversize body."
        return ""

    def _invoke_container(
        self, container: Container, fault: EndpointFault, headers: Headers, body: bytes
    ) -> HttpResponse:
        """Return the container's response, or that of the fault; status 0 means that the invocation timed out."""
        self._pause(min(fault.seconds, INVOCATION_TIMEOUT_SECONDS))
        if fault.seconds > INVOCATION_TIMEOUT_SECONDS:
            return HttpResponse(0, _TIMED_OUT)
        if fault.kind == "model-error":
            return HttpResponse(500, b"<h1>Internal Server Error</h1>", {"Content-Type": "text/html; charset=utf-8"})
        if fault.kind == "empty":
            return HttpResponse(204)
        distort = DISTORTIONS.get(fault.kind, lambda scores: scores)
        return container.invoke(body, headers.get("Content-Type"), headers.get("Accept"), distort)

    def _model_error(self, response: HttpResponse, request_id: str) -> HttpResponse:
        """Convert a container's response outside 2xx to a ModelError."""
        group = f"/aws/sagemaker/Endpoints/{self.name}"
        original = response.body.decode(errors="replace")
        side = "client" if 400 <= response.status < 500 else "server"
        message = (
            f'Received {side} error ({response.status}) from primary with message "{original}". See '
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#logEventViewer:group={group} "
            f"in account {ACCOUNT} for more information."
        )
        members = {
            "OriginalStatusCode": response.status,
            "OriginalMessage": original,
            "LogStreamArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
        }
        return error_response("ModelError", 424, message, request_id, members)


def error_response(
    code: str, status: int, message: str, request_id: str, members: Mapping[str, object] | None = None
) -> HttpResponse:
    """Return an error in the protocol rest-json; `members` are those of its shape beside `Message`."""
    return HttpResponse(
        status,
        json.dumps({"Message": message, **(members or {})}).encode(),
        {"Content-Type": "application/json", "x-amzn-RequestId": request_id, "x-amzn-ErrorType": code},
    )
