"""Rows scored by a deployed endpoint, in requests below its limit, with the app's own client and parser.

For `evaluate --on endpoint` one request follows another. For `predict --on endpoint` several are made at a time, and a
request that the endpoint throttles is repeated after a growing pause.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from chalicelib.endpoint import Endpoint
from chalicelib.endpoint_errors import BUSY, STARTING, EndpointError
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import endpoint_state
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_state import DeployedEndpoint
from training.evaluation.predictions import Floats
from training.prediction.judge import EncodedChunk
from training.progress import bars

CHUNK_BYTES = 1_000_000  # the limit is 4 MB serverless, 6 MB on instances; this takes about a second
THROTTLED_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # between requests, beside the client's own retries
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
    endpoint, client = open_endpoint(aws, stage, candidate, variant)
    chunks = list(chunks_of(rows, CHUNK_BYTES))
    propose_requests(aws, endpoint, f"{len(chunks):,} requests", yes)
    return score_chunks(aws, client, chunks)


def score_chunks(aws: Aws, client: Endpoint, chunks: Sequence[Sequence[str]]) -> Floats:
    """Return the scores of chunks of rows, one request after another; raises `EndpointError`."""
    scores: list[float] = []
    with bars(aws.console, "Scoring") as (tick,):
        for number, chunk in enumerate(chunks, start=1):
            scores += client.scores(chunk, lambda: _CHUNK_SECONDS).values
            tick(number, len(chunks), f"{len(scores):,} rows")
    return np.array(scores)


def open_endpoint(aws: Aws, stage: str, candidate: Candidate, variant: str) -> tuple[DeployedEndpoint, Endpoint]:
    """Return a stage's endpoint and a client of it, or of one variant; raises `AwsError` if it serves another model."""
    endpoint = endpoint_state.require_in_service(
        aws.account, names.endpoint(stage, candidate.encoder.fingerprint), stage
    )
    check_serves(endpoint, candidate, variant)
    return endpoint, client_of(aws, endpoint.name, variant)


def client_of(aws: Aws, endpoint: str, variant: str = "") -> Endpoint:
    """Return a client of an endpoint, or of one variant of it."""
    runtime = aws.account.client("sagemaker-runtime")
    client = PinnedVariantClient(runtime, variant) if variant else runtime
    return Endpoint(client, endpoint, aws.pause)  # type: ignore[arg-type]


def propose_requests(aws: Aws, endpoint: DeployedEndpoint, requests: str, yes: bool) -> None:
    """Ask for confirmation of requests to a serverless endpoint; instances are billed anyway."""
    if endpoint.hosting.is_serverless:
        item = Item(requests, f"to {endpoint.name}", endpoint.hosting.price(aws.account.prices))
        propose(aws.console, "To be sent", [item], yes)


def stream_chunks(
    aws: Aws, client: Endpoint, chunks: Iterable[EncodedChunk], parallel: int
) -> Iterator[tuple[EncodedChunk, Sequence[float]]]:
    """Yield each chunk with its scores, in order, with up to `parallel` requests at a time; few are read ahead.

    Raises `EndpointError` for a request that fails, or that stays throttled.
    """
    with ThreadPoolExecutor(parallel) as pool:
        pending: deque[tuple[EncodedChunk, Future[list[float]]]] = deque()
        try:
            for chunk in chunks:
                pending.append((chunk, pool.submit(_score_patiently, aws, client, chunk.model_rows)))
                if len(pending) > parallel:
                    first, scores = pending.popleft()
                    yield first, scores.result()
            for first, scores in pending:
                yield first, scores.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _score_patiently(aws: Aws, client: Endpoint, rows: Sequence[str]) -> list[float]:
    """Score the rows of a chunk, and wait where the endpoint is throttled or starting."""
    scores: list[float] = []
    for part in chunks_of(rows, CHUNK_BYTES):
        for pause_seconds in (*THROTTLED_PAUSES_SECONDS, None):
            try:
                scores += client.scores(part, lambda: _CHUNK_SECONDS).values
                break
            except EndpointError as error:
                if pause_seconds is None or error.fault not in (BUSY, STARTING):
                    raise
                aws.pause(pause_seconds)
    return scores


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


def chunks_of(rows: Iterable[str], size_bytes: int) -> Iterator[list[str]]:
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
