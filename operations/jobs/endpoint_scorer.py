"""`evaluate --on endpoint`: rows scored by a deployed endpoint, in chunks, with the app's own client and parser."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chalicelib.endpoint import Endpoint
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import endpoint_state
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_state import DeployedEndpoint
from training.evaluation.predictions import Floats
from training.progress import bars

CHUNK_BYTES = 1_000_000  # the limit is 4 MB serverless, 6 MB on instances; this takes about a second
_CHUNK_SECONDS = 600.0  # for one chunk with all its retries


class PinnedVariantClient:
    """A runtime client whose requests all go to one variant, whatever the weights."""

    def __init__(self, client: Any, variant: str) -> None:
        self.meta = client.meta
        self._client = client
        self._variant = variant

    def invoke_endpoint(self, **request: Any) -> Any:
        """Invoke the variant."""
        return self._client.invoke_endpoint(**request, TargetVariant=self._variant)


def score_on_endpoint(
    aws: Aws, stage: str, candidate: Candidate, variant: str, rows: Sequence[str], yes: bool
) -> Floats:
    """Return the scores of rows from a stage's endpoint; raises `AwsError` if it serves another model.

    Also raises `EndpointError` for a failed request.
    """
    endpoint = endpoint_state.require_in_service(
        aws.account, names.endpoint(stage, candidate.encoder.fingerprint), stage
    )
    check_serves(endpoint, candidate, variant)
    chunks = list(chunks_of(rows, CHUNK_BYTES))
    if endpoint.hosting.is_serverless:  # instances are billed anyway
        requests = Item(f"{len(chunks):,} requests", f"to {endpoint.name}", endpoint.hosting.price(aws.account.prices))
        propose(aws.console, "To be sent", [requests], yes)
    return score_chunks(aws, endpoint.name, variant, chunks)


def score_chunks(aws: Aws, endpoint: str, variant: str, chunks: Sequence[Sequence[str]]) -> Floats:
    """Return the scores of chunks of rows from one variant, or with "" from any; raises `EndpointError`."""
    runtime = aws.account.client("sagemaker-runtime")
    client = Endpoint(
        PinnedVariantClient(runtime, variant) if variant else runtime,  # type: ignore[arg-type]
        endpoint,
        aws.pause,
    )
    scores: list[float] = []
    with bars(aws.console, "Scoring") as (tick,):
        for number, chunk in enumerate(chunks, start=1):
            scores += client.scores(chunk, lambda: _CHUNK_SECONDS).values
            tick(number, len(chunks), f"{len(scores):,} rows")
    return np.array(scores)


def check_serves(endpoint: DeployedEndpoint, candidate: Candidate, variant: str) -> None:
    """Raise `AwsError` unless every variant that gets the requests serves the candidate's model."""
    known = [deployed.name for deployed in endpoint.variants]
    if variant and variant not in known:
        raise AwsError(f"The endpoint {endpoint.name} has no variant {variant!r}, only {', '.join(known)}.", "absent")
    receiving = [
        deployed for deployed in endpoint.variants if (deployed.name == variant if variant else deployed.weight > 0)
    ]
    others = [deployed for deployed in receiving if names.release_of_model(deployed.model) != candidate.release_id]
    if others:
        served = ", ".join(
            f"{other.name} serves {names.release_of_model(other.model) or other.model}" for other in others
        )
        remedy = "choose its variant with --variant" if len(known) > len(others) else "evaluate that run"
        raise AwsError(
            f"The endpoint {endpoint.name} serves another model than {candidate.name} ({candidate.release_id}): "
            f"{served}. Deploy this one, or {remedy}.",
            "other-release",
        )


def chunks_of(rows: Sequence[str], size_bytes: int) -> Iterator[list[str]]:
    """Divide rows into chunks of limited size, newlines included; a row above the limit is a chunk by itself."""
    chunk: list[str] = []
    size = 0
    for row in rows:
        length = len(row.encode()) + 1
        if chunk and size + length > size_bytes:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += length
    if chunk:
        yield chunk
