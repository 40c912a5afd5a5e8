"""Canary reviews asked of an endpoint before anybody else may: every score must come back equal.

The packaged release's scores were recorded when it was made (`model/canary.json`), so a container that computes
otherwise than the machine that made it is found out too. What the rows are for: `training.model.canary`.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from botocore.exceptions import ClientError

from chalicelib.endpoint import ACCEPT, CONTENT_TYPE, parse_scores
from chalicelib.endpoint_errors import EndpointError
from chalicelib.errors import SentimentError
from operations.aws.account import Account
from operations.aws.errors import code_of, message_of
from operations.endpoint.candidate import MODEL_FOLDER, PACKAGED_NAME, Candidate
from training.model.canary import CANARY_NAME, Canary, computed

TOLERANCE = 1e-6  # scores are 32-bit; their texts carry all of it
TRIES = 4  # a serverless endpoint may still be waking up
WAKING_SECONDS = 5.0


class CanaryError(SentimentError):
    """An endpoint that is in service and answers wrongly, or not at all."""

    type = "canary-failed"
    title = "The endpoint does not answer as it must"


def known(candidate: Candidate, recorded: Path = MODEL_FOLDER / CANARY_NAME) -> Canary:
    """Return what was recorded of the packaged release, or what this machine computes of another model."""
    if candidate.name == PACKAGED_NAME and recorded.exists():
        stated = Canary(**json.loads(recorded.read_text(encoding="utf-8")))
        if stated.model_sha256 == candidate.model_sha256:
            return stated
    return computed(candidate.model, candidate.encoder)


def ask(
    account: Account,
    endpoint: str,
    rows: Sequence[str],
    variant: str = "",
    pause: Callable[[float], None] = time.sleep,
) -> tuple[list[float], str]:
    """Ask an endpoint for the scores of rows; returns them and the variant that answered. Raises `CanaryError`.

    `variant` pins one. A serverless endpoint that is still waking up is asked again.
    """
    pinned = {"TargetVariant": variant} if variant else {}
    body, runtime = "\n".join(rows).encode(), account.client("sagemaker-runtime")
    for attempt in range(TRIES):
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, Body=body, ContentType=CONTENT_TYPE, Accept=ACCEPT, **pinned
            )
            return parse_scores(answer["Body"].read(), len(rows)), str(answer.get("InvokedProductionVariant", ""))
        except ClientError as error:
            if code_of(error) != "ModelNotReadyException" or attempt == TRIES - 1:
                raise CanaryError(f"Endpoint {endpoint} did not answer: {message_of(error)}") from error
        except EndpointError as error:
            raise CanaryError(f"Endpoint {endpoint} gave no scores: {error.cause}.") from error
        pause(WAKING_SECONDS)
    raise CanaryError(f"Endpoint {endpoint} did not wake up.")


def check(account: Account, endpoint: str, canary: Canary, variant: str = "") -> float:
    """Ask for every canary row and return the largest difference; raises `CanaryError` where one is not equal."""
    said, _ = ask(account, endpoint, canary.rows, variant)
    differences = np.abs(np.array(said) - np.array(canary.scores))
    if differences[-1] > TOLERANCE >= differences[:-1].max():
        raise CanaryError(
            f"Endpoint {endpoint} reads columns from the smallest index of a request, not from 0: a row without column "
            "0 was shifted. Its image is not the pinned one; deploy with this project's."
        )
    if differences.max() > TOLERANCE:
        worst = int(differences.argmax())
        raise CanaryError(
            f"Endpoint {endpoint} answers {said[worst]:.6f} where the model has {canary.scores[worst]:.6f}: it serves "
            "another one, or computes otherwise."
        )
    return float(differences.max())
