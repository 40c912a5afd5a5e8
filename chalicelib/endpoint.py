"""The SageMaker endpoint client: deadlines, retries, and response validation.

boto3's own retries and timeouts (3 attempts of 60 s) exceed API Gateway's limit of 29 s, so they are off: every attempt
here has a fixed total timeout, and starts only if the caller has that much time left. botocore's read timeout restarts
with every packet, so an attempt runs in a thread of its own, and is given up when its time is over. `endpoint_errors`
has the faults.
"""

import math
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.endpoint_errors import (
    BAD_ANSWER,
    MISCONFIGURED,
    SLOW,
    EndpointError,
    Fault,
    fault_for_class,
    fault_for_code,
)
from chalicelib.sentiment import Scores

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

GATEWAY_SECONDS = 29.0  # API Gateway's timeout
CONNECT_SECONDS = 2.0
MAX_READ_SECONDS = 15.0  # leaves a slow function ten seconds for its own work
MARGIN_SECONDS = 1.0  # headroom for the response
STARTUP_SECONDS = 3.0  # headroom for creating the client, on a function's first request
MAX_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.1  # before the second attempt; four times that before the third
MAX_SCORE_BYTES = 40  # of one score with its separator; the container writes up to 24
CONTENT_TYPE = "text/libsvm"
ACCEPT = "text/csv"  # the container rejects a list of types

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def endpoint_name(fingerprint: str) -> str:
    """Return `ENDPOINT_NAME`, or `verdict-<VERDICT_STAGE, dev by default>-<vocabulary fingerprint>`."""
    return os.environ.get("ENDPOINT_NAME") or f"verdict-{os.environ.get('VERDICT_STAGE', 'dev')}-{fingerprint}"


def connect(seconds_left: float) -> "SageMakerRuntimeClient":
    """Create the client, with a read timeout that fits the seconds left for the first request.

    boto3 is imported here, so that pages and health checks do not wait for it. Raises `EndpointError` if there is no
    region, or the AWS configuration cannot be read.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    spare_seconds = CONNECT_SECONDS + MARGIN_SECONDS + STARTUP_SECONDS
    read_seconds = min(MAX_READ_SECONDS, seconds_left - spare_seconds)
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=max(read_seconds, 1.0),
        retries={"total_max_attempts": 1},
        tcp_keepalive=True,
    )
    try:
        client: SageMakerRuntimeClient = boto3.Session().client("sagemaker-runtime", config=config)
        _ = urlsplit(client.meta.endpoint_url).port  # botocore checks the port at the first call only
    except BotoCoreError as error:
        raise EndpointError(fault_for_class(type(error)), type(error).__name__) from error
    except ValueError as error:  # an invalid address or region
        raise EndpointError(MISCONFIGURED, type(error).__name__) from error
    return client


class Endpoint:
    """A SageMaker endpoint; `pause` sleeps between attempts."""

    def __init__(
        self, client: "SageMakerRuntimeClient", name: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._name = name
        self._pause = pause
        config = client.meta.config
        self._attempt_seconds = float(config.connect_timeout + config.read_timeout + MARGIN_SECONDS)

    def scores(self, rows: Sequence[str], remaining_seconds: Callable[[], float]) -> Scores:
        """Return the probability of positive for each row, in order, and the name of the production variant.

        Retries after a temporary fault, if the time left is enough for a whole attempt. Raises `EndpointError` if that
        fails, or if the response is not one probability per row.
        """
        body = "\n".join(rows).encode()
        fault, cause = SLOW, "OutOfTime"
        for attempt in range(MAX_ATTEMPTS):
            pause_seconds = FIRST_PAUSE_SECONDS * 4 ** (attempt - 1) if attempt else 0.0
            if remaining_seconds() < self._attempt_seconds + pause_seconds - 1e-3:
                break
            self._pause(pause_seconds)
            try:
                content, variant = self._attempt(body, len(rows) * MAX_SCORE_BYTES)
            except EndpointError as error:
                if not error.fault.retried:
                    raise
                fault, cause = error.fault, error.cause
                continue
            return Scores(parse_scores(content, len(rows)), variant)
        raise EndpointError(fault, cause)

    def _attempt(self, body: bytes, max_bytes: int) -> tuple[bytes, str]:
        """Make one attempt within its time; returns the response's body and the variant. Raises `EndpointError`.

        An attempt that takes longer is left behind: its thread ends when the endpoint closes the connection.
        """
        outcomes: queue.SimpleQueue[tuple[bytes, str] | EndpointError] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcomes.put(self._invoke(body, max_bytes))
            except EndpointError as error:
                outcomes.put(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            outcome = outcomes.get(timeout=self._attempt_seconds)
        except queue.Empty:
            raise EndpointError(SLOW, "OutOfTime") from None
        if isinstance(outcome, EndpointError):
            raise outcome
        return outcome

    def _invoke(self, body: bytes, max_bytes: int) -> tuple[bytes, str]:
        """Call the endpoint, and read at most `max_bytes` of its response. Raises `EndpointError`."""
        from botocore.exceptions import ClientError

        try:
            response = self._client.invoke_endpoint(
                EndpointName=self._name, Body=body, ContentType=CONTENT_TYPE, Accept=ACCEPT
            )
            content = response["Body"].read(max_bytes)
            oversized = response["Body"].read(1)  # at the body's end, this checks its length
        except ClientError as error:
            raise EndpointError(*_fault_of(error.response)) from error
        except Exception as error:  # a malformed response raises any class of error in botocore's parsers
            raise EndpointError(fault_for_class(type(error)), type(error).__name__) from error
        if oversized:
            response["Body"].close()
            raise EndpointError(BAD_ANSWER, f"more than {max_bytes} bytes")
        return content, response.get("InvokedProductionVariant", "")


def _fault_of(response: Any) -> tuple[Fault, str]:
    """Return the fault of an AWS error response, and its code for the request log."""
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return fault_for_code(code, status), f"{code} {status}"


def parse_scores(content: bytes, expected: int) -> list[float]:
    """Parse the container's response: one number per line, or separated by commas (images up to 1.2-1).

    Raises `EndpointError` unless there is the expected number of scores, and each is a probability, 0..1.
    """
    text = content.decode("ascii", errors="replace").strip()
    fields = text.replace(",", "\n").split("\n") if text else []
    if len(fields) != expected:
        raise EndpointError(BAD_ANSWER, f"{len(fields)} scores for {expected} rows")
    scores = [float(field) if _NUMBER.fullmatch(field.strip()) else math.nan for field in fields]
    if not all(0.0 <= score <= 1.0 for score in scores):
        raise EndpointError(BAD_ANSWER, "not a probability")
    return scores
