"""Canary requests: an endpoint's scores are compared with recorded ones before it gets traffic.

The packaged release's scores were recorded when it was built (`model/canary.json`), so the check also finds a container
that computes differently from the machine that built it. The rows are described in `training.model.canary`.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import stamina
from botocore.exceptions import ClientError

from chalicelib.endpoint import ACCEPT, CONTENT_TYPE, parse_scores
from chalicelib.endpoint_errors import EndpointError
from chalicelib.errors import SentimentError
from operations.aws.account import Account
from operations.aws.errors import code_of, message_of
from operations.endpoint.candidate import PACKAGED_NAME, Candidate
from training.evaluation.packaged_model import MODEL_FOLDER
from training.model.canary import CANARY_NAME, Canary, score_canary

TOLERANCE = 1e-6  # scores are 32-bit floats, printed with all their digits
ATTEMPTS = 4  # a serverless endpoint may still be starting
STARTING_SECONDS = 5.0


class CanaryError(SentimentError):
    """An endpoint in service that returns wrong scores, or none."""

    type = "canary-failed"
    title = "The endpoint failed its canary check"


def expected(candidate: Candidate, recorded: Path = MODEL_FOLDER / CANARY_NAME) -> Canary:
    """Return the recorded canary of the packaged release, or compute that of another model on this machine."""
    if candidate.name == PACKAGED_NAME and recorded.exists():
        canary = Canary(**json.loads(recorded.read_text(encoding="utf-8")))
        if canary.model_sha256 == candidate.model_sha256:
            return canary
    return score_canary(candidate.model, candidate.encoder)


def score_rows(account: Account, endpoint: str, rows: Sequence[str], variant: str = "") -> tuple[list[float], str]:
    """Return the scores of rows, and the variant that computed them. Raises `CanaryError`.

    With `variant`, that one is invoked. While a serverless endpoint is starting, the request is retried.
    """
    target = {"TargetVariant": variant} if variant else {}
    body, runtime = "\n".join(rows).encode(), account.client("sagemaker-runtime")
    try:
        for attempt in stamina.retry_context(
            _is_starting, ATTEMPTS, timeout=None, wait_initial=STARTING_SECONDS, wait_jitter=0.0, wait_exp_base=1.0
        ):
            with attempt:
                response = runtime.invoke_endpoint(
                    EndpointName=endpoint, Body=body, ContentType=CONTENT_TYPE, Accept=ACCEPT, **target
                )
        return parse_scores(response["Body"].read(), len(rows)), str(response.get("InvokedProductionVariant", ""))
    except ClientError as error:
        raise CanaryError(f"The endpoint {endpoint} returned an error: {message_of(error)}") from error
    except EndpointError as error:
        raise CanaryError(f"The endpoint {endpoint} returned no valid scores: {error.cause}.") from error


def _is_starting(error: Exception) -> bool:
    """Return whether an error means that a serverless endpoint is still starting."""
    return isinstance(error, ClientError) and code_of(error) == "ModelNotReadyException"


def verify(account: Account, endpoint: str, canary: Canary, variant: str = "") -> float:
    """Verify an endpoint's scores of the canary rows, and return the largest difference; raises `CanaryError`.

    The last row lacks column 0 and has a request of its own: beside a row with column 0, it would be read correctly by
    an image that counts from the smallest index of a request.
    """
    scores, _ = score_rows(account, endpoint, canary.rows[:-1], variant)
    scores += score_rows(account, endpoint, canary.rows[-1:], variant)[0]
    differences = np.abs(np.array(scores) - np.array(canary.scores))
    if differences[-1] > TOLERANCE >= differences[:-1].max():
        raise CanaryError(
            f"The endpoint {endpoint} counts columns from the smallest index in a request instead of 0, and so misread "
            "a row without column 0. Its image is not the pinned one. Deploy with this project's commands."
        )
    if differences.max() > TOLERANCE:
        worst = int(differences.argmax())
        raise CanaryError(
            f"The endpoint {endpoint} returned {scores[worst]:.6f} where {canary.scores[worst]:.6f} was expected: it "
            "serves another model, or computes differently."
        )
    return float(differences.max())
