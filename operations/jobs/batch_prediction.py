"""`predict --on endpoint|batch`: encoded chunks of reviews scored on SageMaker, in order, in constant memory."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from operations.aws.command import Aws
from operations.endpoint.candidate import Candidate
from operations.jobs.batch_transform import score_files, write_row_files
from operations.jobs.endpoint_scorer import open_endpoint, propose_requests, stream_chunks
from training.prediction.judge import EncodedChunk
from training.prediction.predict import ChunkScorer


def endpoint_scorer(aws: Aws, stage: str, candidate: Candidate, variant: str, parallel: int, yes: bool) -> ChunkScorer:
    """Return a scorer that sends chunks to a stage's endpoint; raises `AwsError` if it serves another model."""
    endpoint, client = open_endpoint(aws, stage, candidate, variant)
    propose_requests(aws, endpoint, "requests of up to 1 MB", yes)
    return lambda chunks: stream_chunks(aws, client, chunks, parallel)


def batch_scorer(aws: Aws, stage: str, candidate: Candidate, instance_type: str, yes: bool) -> ChunkScorer:
    """Return a scorer that writes all chunks to a temporary folder, and scores them in one batch transform job."""

    def score(chunks: Iterable[EncodedChunk]) -> Iterator[tuple[EncodedChunk, Sequence[float]]]:
        with TemporaryDirectory() as folder:
            stored = Path(folder) / "chunks.pickle"
            files = write_row_files(_rows(chunks, stored), Path(folder))
            scores = score_files(aws, stage, candidate, files, instance_type, yes) if files else iter(())
            for chunk in _load(stored):
                yield chunk, list(islice(scores, len(chunk.model_rows)))
            next(scores, None)  # past the last score, where the job's files are deleted

    return score


def _rows(chunks: Iterable[EncodedChunk], stored: Path) -> Iterator[str]:
    """Yield the libsvm rows of all chunks, and store the chunks in a file."""
    with stored.open("wb") as file:
        for chunk in chunks:
            pickle.dump(chunk, file, protocol=pickle.HIGHEST_PROTOCOL)
            yield from chunk.model_rows


def _load(stored: Path) -> Iterator[EncodedChunk]:
    """Yield the chunks of a file."""
    with stored.open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)
