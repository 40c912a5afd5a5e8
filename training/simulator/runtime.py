"""InvokeEndpoint, as the SageMaker Runtime answers it: an endpoint's name, headers and body -> an answer for the wire.

The shapes follow the service model of `sagemaker-runtime` (protocol rest-json, errors named by `x-amzn-ErrorType`).
A container's answer outside 2xx becomes a ModelError, 424, that carries it. What is not checked: the signature, so
that curl can ask too.
"""

import json
import uuid
from collections.abc import Callable, Mapping

from training.simulator.container import Answer, Container
from training.simulator.faults import DISTORTIONS, ERRORS, Orders

ACCOUNT = "000000000000"
REGION = "us-east-1"
VARIANT = "AllTraffic"
SERVERLESS_BODY_BYTES = 4 * 1024 * 1024
LONGEST_INVOCATION_SECONDS = 60.0
TIMED_OUT = b"Your invocation timed out while waiting for a response from container primary."


class ConnectionCutError(ConnectionAbortedError):
    """The connection must be closed without an answer."""


class RuntimeEndpoint:
    """One endpoint with one production variant. `pause` waits a number of seconds; it is passed in."""

    def __init__(
        self,
        name: str,
        container: Container,
        pause: Callable[[float], object],
        largest_body_bytes: int = SERVERLESS_BODY_BYTES,
    ) -> None:
        self.name = name
        self.orders = Orders()
        self._container = container
        self._pause = pause
        self._largest_body_bytes = largest_body_bytes

    def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one InvokeEndpoint (header names in lower case); raises `ConnectionCutError` when told to."""
        order = self.orders.take()
        request_id = str(uuid.uuid4())
        if order.kind == "cut":
            raise ConnectionCutError("told to cut the connection")
        if order.kind in ERRORS:
            error = ERRORS[order.kind]
            return error_answer(error.code, error.status, error.message, request_id)
        refusal = self._refusal(name, headers, len(body), request_id)
        if refusal:
            return error_answer("ValidationError", 400, refusal, request_id)
        self._pause(min(order.seconds, LONGEST_INVOCATION_SECONDS))
        if order.seconds > LONGEST_INVOCATION_SECONDS:
            return self._model_error(Answer(0, TIMED_OUT), request_id)
        return self._passed_on(self._answer_of_container(order.kind, headers, body), request_id)

    def _refusal(self, name: str, headers: Mapping[str, str], size_bytes: int, request_id: str) -> str:
        """Say why the service would not pass a request on to the container; empty when it would."""
        if name != self.name:
            return f"Endpoint {name} of account {ACCOUNT} not found."
        variant = headers.get("x-amzn-sagemaker-target-variant", VARIANT)
        if variant != VARIANT:
            return f"Variant {variant} of endpoint {name} not found."
        if "x-amzn-sagemaker-target-model" in headers:
            return f"Endpoint {name} is not a multi-model endpoint: TargetModel must not be given."
        if size_bytes > self._largest_body_bytes:
            return f"Request {request_id} has oversize body."
        return ""

    def _answer_of_container(self, kind: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Ask the container, or answer in its place when told that it fails or has nothing to say."""
        if kind == "model-error":
            return Answer(500, b"<h1>Internal Server Error</h1>", {"Content-Type": "text/html; charset=utf-8"})
        if kind == "empty":
            return Answer(204)
        distort = DISTORTIONS.get(kind, lambda scores: scores)
        return self._container.invoke(body, headers.get("content-type"), headers.get("accept"), distort)

    def _passed_on(self, answer: Answer, request_id: str) -> Answer:
        """Wrap the container's answer as the service does."""
        if not 200 <= answer.status < 300:
            return self._model_error(answer, request_id)
        return Answer(
            answer.status,
            answer.body,
            {
                **answer.headers,
                "x-amzn-RequestId": request_id,
                "x-Amzn-Invoked-Production-Variant": VARIANT,
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
