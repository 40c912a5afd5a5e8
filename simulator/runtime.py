"""InvokeEndpoint, as the SageMaker Runtime answers it: an endpoint's name, headers and body -> an answer for the wire.

The shapes follow the service model of `sagemaker-runtime` (protocol rest-json, errors named by `x-amzn-ErrorType`).
A container's answer outside 2xx becomes a ModelError, 424, that carries it. What is not checked: the signature, so
that curl can ask too.
"""

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from simulator.container.serving import Container
from simulator.endpoint_faults import DISTORTIONS, ERRORS, Misbehaviour, Orders
from simulator.wire import Answer, ConnectionCutError

ACCOUNT = "123456789012"
REGION = "us-east-1"
VARIANT = "AllTraffic"
SERVERLESS_BODY_BYTES = 4 * 1024 * 1024
INSTANCE_BODY_BYTES = 6 * 1024 * 1024
LONGEST_INVOCATION_SECONDS = 60.0
TIMED_OUT = b"Your invocation timed out while waiting for a response from container primary."


@dataclass(frozen=True)
class Variant:
    """A production variant: its share of the traffic is its weight over the sum of all weights."""

    name: str
    weight: float
    container: Container


class RuntimeEndpoint:
    """One endpoint with its production variants, which may be replaced, all at once, while requests are answered.

    `pause` waits a number of seconds; it is passed in. `draw` gives numbers from 0 to 1, which choose variants. `told`
    is called after every invocation that reached a container, with the variant, the container's status (0 for one that
    never answered) and the seconds it took, by `clock`.
    """

    def __init__(
        self,
        name: str,
        variants: Sequence[Variant],
        pause: Callable[[float], object],
        largest_body_bytes: int = SERVERLESS_BODY_BYTES,
        draw: Callable[[], float] = random.random,
        told: Callable[[str, int, float], None] = lambda variant, status, seconds: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name = name
        self.orders = Orders()
        self.variants = tuple(variants)
        self.largest_body_bytes = largest_body_bytes
        self._pause = pause
        self._draw = draw
        self._told = told
        self._clock = clock

    def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one InvokeEndpoint (header names in lower case); raises `ConnectionCutError` when told to."""
        order = self.orders.take()
        request_id = str(uuid.uuid4())
        if order.kind == "cut":
            raise ConnectionCutError("told to cut the connection")
        if order.kind in ERRORS:
            error = ERRORS[order.kind]
            return error_answer(error.code, error.status, error.message, request_id)
        variant = self._variant_for(headers)
        refusal = self._refusal(name, headers, variant, len(body), request_id)
        if refusal or not variant:
            return error_answer("ValidationError", 400, refusal, request_id)
        started = self._clock()
        answer = self._answer_of_container(variant.container, order, headers, body)
        self._told(variant.name, answer.status, self._clock() - started)
        return self._passed_on(answer, variant.name, request_id)

    def _variant_for(self, headers: Mapping[str, str]) -> Variant | None:
        """Choose the variant that a request pins, or one by weight; None for one that is not there."""
        variants = self.variants
        pinned = headers.get("x-amzn-sagemaker-target-variant")
        if pinned:
            return next((variant for variant in variants if variant.name == pinned), None)
        left = self._draw() * sum(variant.weight for variant in variants)
        for variant in variants:
            left -= variant.weight
            if left < 0:
                return variant
        return variants[-1]

    def _refusal(
        self, name: str, headers: Mapping[str, str], variant: Variant | None, size_bytes: int, request_id: str
    ) -> str:
        """Say why the service would not pass a request on to the container; empty when it would."""
        if name != self.name:
            return f"Endpoint {name} of account {ACCOUNT} not found."
        if not variant:
            return f"Variant {headers['x-amzn-sagemaker-target-variant']} of endpoint {name} not found."
        if "x-amzn-sagemaker-target-model" in headers:
            return f"Endpoint {name} is not a multi-model endpoint: TargetModel must not be given."
        if size_bytes > self.largest_body_bytes:
            return f"Request {request_id} has oversize body."
        return ""

    def _answer_of_container(
        self, container: Container, order: Misbehaviour, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Ask the container, or answer in its place when told that it is slow, fails or has nothing to say."""
        self._pause(min(order.seconds, LONGEST_INVOCATION_SECONDS))
        if order.seconds > LONGEST_INVOCATION_SECONDS:
            return Answer(0, TIMED_OUT)
        if order.kind == "model-error":
            return Answer(500, b"<h1>Internal Server Error</h1>", {"Content-Type": "text/html; charset=utf-8"})
        if order.kind == "empty":
            return Answer(204)
        distort = DISTORTIONS.get(order.kind, lambda scores: scores)
        return container.invoke(body, headers.get("content-type"), headers.get("accept"), distort)

    def _passed_on(self, answer: Answer, variant: str, request_id: str) -> Answer:
        """Wrap the container's answer as the service does."""
        if not 200 <= answer.status < 300:
            return self._model_error(answer, request_id)
        return Answer(
            answer.status,
            answer.body,
            {
                **answer.headers,
                "x-amzn-RequestId": request_id,
                "x-Amzn-Invoked-Production-Variant": variant,
            },
        )

    def _model_error(self, answer: Answer, request_id: str) -> Answer:
        """Turn an answer outside 2xx into a ModelError; status 0 means that the container never answered."""
        group = f"/aws/sagemaker/Endpoints/{self.name}"
        original = answer.body.decode(errors="replace")
        side = "client" if 400 <= answer.status < 500 else "server"
        message = (
            f'Received {side} error ({answer.status}) from primary with message "{original}". See '
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#logEventViewer:group={group} "
            f"in account {ACCOUNT} for more information."
        )
        members = {
            "OriginalStatusCode": answer.status,
            "OriginalMessage": original,
            "LogStreamArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
        }
        return error_answer("ModelError", 424, message, request_id, members)


def error_answer(
    code: str, status: int, message: str, request_id: str, members: Mapping[str, object] | None = None
) -> Answer:
    """Return an error in the rest-json shape; `members` are what its shape holds beside `Message`."""
    return Answer(
        status,
        json.dumps({"Message": message, **(members or {})}).encode(),
        {"Content-Type": "application/json", "x-amzn-RequestId": request_id, "x-amzn-ErrorType": code},
    )
