"""`evaluate --on endpoint`: rows to the live endpoint, in chunks, by the app's own client and parser."""

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
from training.evaluation.predictions import Floats
from training.progress import ProgressCallback, bars, silent

CHUNK_BYTES = 1_000_000  # a serverless endpoint takes 4 MB, another 6: this is a second's work for either
_CHUNK_SECONDS = 600.0  # for a chunk, its tries and pauses included


class Pinned:
    """A runtime client that asks one variant, whatever the weights."""

    def __init__(self, client: Any, variant: str) -> None:
        self.meta = client.meta
        self._client = client
        self._variant = variant

    def invoke_endpoint(self, **request: Any) -> Any:
        """Ask the variant."""
        return self._client.invoke_endpoint(**request, TargetVariant=self._variant)


def score_live(aws: Aws, stage: str, candidate: Candidate, variant: str, rows: Sequence[str], yes: bool) -> Floats:
    """Return what a stage's endpoint says of rows; raises `AwsError` when it serves another release's model."""
    endpoint = endpoint_state.require_in_service(
        aws.account, names.endpoint(stage, candidate.encoder.fingerprint), stage
    )
    check_serves(endpoint, candidate, variant)
    chunks = list(chunks_of(rows))
    if endpoint.hosting.is_serverless:  # instances are paid for anyway
        requests = Item(f"{len(chunks):,} requests", f"to {endpoint.name}", endpoint.hosting.price(aws.account.region))
        propose(aws.console, "Asking", [requests], yes)
    client = aws.account.client("sagemaker-runtime")
    asking = Endpoint(Pinned(client, variant) if variant else client, endpoint.name, aws.pause)  # type: ignore[arg-type]
    with bars(aws.console, "Scoring") as (tick,):
        return _ask(asking, chunks, tick)


def check_serves(endpoint: endpoint_state.DeployedEndpoint, candidate: Candidate, variant: str) -> None:
    """Raise `AwsError` unless all variants that may answer have the candidate's model."""
    if variant and variant not in [one.name for one in endpoint.variants]:
        known = ", ".join(one.name for one in endpoint.variants)
        raise AwsError(f"The endpoint {endpoint.name} has no variant {variant!r}; it has {known}.", "absent")
    answering = [one for one in endpoint.variants if (one.name == variant if variant else one.weight > 0)]
    others = [one for one in answering if names.release_of_model(one.model) != candidate.release_id]
    if others:
        told = ", ".join(f"{one.name} serves {names.release_of_model(one.model) or one.model}" for one in others)
        ask = "ask its variant by --variant" if len(endpoint.variants) > len(others) else "evaluate that run"
        raise AwsError(
            f"The endpoint {endpoint.name} answers with another model than {candidate.name} ({candidate.release_id}): "
            f"{told}. Deploy this one, or {ask}.",
            "other-release",
        )


def chunks_of(rows: Sequence[str], size_bytes: int = CHUNK_BYTES) -> Iterator[list[str]]:
    """Cut rows into chunks of so many bytes at most, with their newlines; one that is larger is a chunk by itself."""
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


def _ask(endpoint: Endpoint, chunks: Sequence[Sequence[str]], tick: ProgressCallback = silent) -> Floats:
    """Return the scores of all chunks, in their order; raises `EndpointError`."""
    scores: list[float] = []
    for number, chunk in enumerate(chunks, start=1):
        scores += endpoint.scores(chunk, lambda: _CHUNK_SECONDS).values
        tick(number, len(chunks), f"{len(scores):,} rows")
    return np.array(scores)
