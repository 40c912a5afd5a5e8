"""Rows -> scores: one boto3 client, a deadline, retries that fit it, and answers that are checked before believed.

boto3's own retries and timeouts (3 tries of 60 s) outlast API Gateway's 29 s, so they are off: every try here has a
fixed time limit and is made only while the caller has that much time left. What each fault means is in `faults`.
"""

import math
import os
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.endpoint_errors import BAD_ANSWER, SLOW, EndpointError, Fault, fault_for_class, fault_for_code
from chalicelib.sentiment import Scores

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

GATEWAY_SECONDS = 29.0  # API Gateway gives up after that
CONNECT_SECONDS = 2.0
LONGEST_READ_SECONDS = 15.0  # leaves a slow function ten seconds for work of its own
MARGIN_SECONDS = 1.0  # kept for the answer's own way back
STARTING_SECONDS = 3.0  # kept for making the client itself, on a function's first request
TRIES = 3
FIRST_PAUSE_SECONDS = 0.1  # before the second try; four times that before the third
CONTENT_TYPE = "text/libsvm"
ACCEPT = "text/csv"  # alone: the container refuses a list

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def endpoint_name(fingerprint: str) -> str:
    """Return `ENDPOINT_NAME`, or `verdict-<VERDICT_STAGE, dev by default>-<vocabulary fingerprint>`."""
    return os.environ.get("ENDPOINT_NAME") or f"verdict-{os.environ.get('VERDICT_STAGE', 'dev')}-{fingerprint}"


def connect(seconds_left: float) -> "SageMakerRuntimeClient":
    """Make the client, its read limit cut to fit a first caller who has this many seconds left.

    boto3 is imported here, when the first review comes, so that pages and health checks do not wait for it.
    Raises `EndpointError` when there is no region or the configuration cannot be read.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    spare_seconds = CONNECT_SECONDS + MARGIN_SECONDS + STARTING_SECONDS
    read_seconds = min(LONGEST_READ_SECONDS, seconds_left - spare_seconds)
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=max(read_seconds, 1.0),
        retries={"total_max_attempts": 1},
        tcp_keepalive=True,
    )
    try:
        client: SageMakerRuntimeClient = boto3.Session().client("sagemaker-runtime", config=config)
    except (BotoCoreError, ValueError) as error:
        raise EndpointError(fault_for_class(type(error)), type(error).__name__) from error
    return client


class Endpoint:
    """A SageMaker endpoint by name; the client, and the pause between tries, are passed in."""

    def __init__(
        self, client: "SageMakerRuntimeClient", name: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._name = name
        self._pause = pause
        config = client.meta.config
        self._try_seconds = float(config.connect_timeout + config.read_timeout + MARGIN_SECONDS)

    def scores(self, rows: Sequence[str], remaining_seconds: Callable[[], float]) -> Scores:
        """Return the probability of positive for each row, in order, and the production variant that answered.

        Tries again after a fault that may pass, while the time left allows a whole try. Raises `EndpointError`
        for every other outcome, an answer that is not one probability a row among them.
        """
        body = "\n".join(rows).encode()
        fault, cause = SLOW, "OutOfTime"
        for attempt in range(TRIES):
            pause_seconds = FIRST_PAUSE_SECONDS * 4 ** (attempt - 1) if attempt else 0.0
            if remaining_seconds() < self._try_seconds + pause_seconds - 1e-3:
                break
            self._pause(pause_seconds)
            try:
                answer, variant = self._invoke(body)
            except EndpointError as error:
                if not error.fault.retried:
                    raise
                fault, cause = error.fault, error.cause
                continue
            return Scores(parse_scores(answer, len(rows)), variant)
        raise EndpointError(fault, cause)

    def _invoke(self, body: bytes) -> tuple[bytes, str]:
        """Make one try: the answer's body and the variant that gave it; raises `EndpointError`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._name, Body=body, ContentType=CONTENT_TYPE, Accept=ACCEPT
            )
            return answer["Body"].read(), answer.get("InvokedProductionVariant", "")
        except ClientError as error:
            raise EndpointError(*_told(error.response)) from error
        except BotoCoreError as error:
            raise EndpointError(fault_for_class(type(error)), type(error).__name__) from error


def _told(response: Any) -> tuple[Fault, str]:
    """Read an error answer of the service: its fault, and its code for the log."""
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return fault_for_code(code, status), f"{code} {status}"


def parse_scores(answer: bytes, expected: int) -> list[float]:
    """Read the container's answer: numbers on lines of their own, or joined by commas (images up to 1.2-1).

    Raises `EndpointError` unless they are exactly as many as expected and every one is a probability, 0..1.
    """
    fields = answer.decode("ascii", errors="replace").strip().replace(",", "\n").split("\n")
    if not answer.strip() or len(fields) != expected:
        raise EndpointError(BAD_ANSWER, f"{len(fields) if answer.strip() else 0} scores for {expected} rows")
    scores = [float(field) if _NUMBER.fullmatch(field.strip()) else math.nan for field in fields]
    if not all(0.0 <= score <= 1.0 for score in scores):
        raise EndpointError(BAD_ANSWER, "not a probability")
    return scores
