"""The run of a batch transform job: each object's records go through the model in batches, into an `.out` object.

The container's behaviour is real: an empty row at the end of a batch has no score. A batch that the container refuses
fails the job: the FailureReason points to the job's log, which holds the container's message. `AssembleWith` `Line`
ends each response with a newline unless it has one. Output that was written before a failure is kept, as on AWS.
"""

import uuid
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from simulator.container.serving import Container
from simulator.http.messages import HttpResponse
from simulator.sagemaker import storage
from simulator.sagemaker.backend import Backend, SimulatedResource
from simulator.sagemaker.hosting.model_loading import LoadError, load
from simulator.sagemaker.hosting.models import MODEL, container_of
from simulator.sagemaker.jobs import job_lifecycle
from simulator.sagemaker.jobs.job_lifecycle import JobFailedError, JobStoppedError
from simulator.sagemaker.log_stream import LogStream
from simulator.sagemaker.storage import ArchiveError, StorageError, StoredObject

TRANSFORM_JOB = job_lifecycle.job_kind("Transform", "transform-job")
LOG_GROUP = "/aws/sagemaker/TransformJobs"
PAYLOAD_MB = 6  # of a batch by default, from the container's execution parameters
_SEE_LOGS = "See job logs for more information"


def run(backend: Backend, job: SimulatedResource) -> None:
    """Run a job to its end; raises `StoppedError` if the simulator stops meanwhile."""
    try:
        _work(backend, job)
    except JobStoppedError:
        job_lifecycle.end(backend, job, "Stopped")
    except StorageError as error:
        job_lifecycle.fail(backend, job, f"ClientError: {error}")
    except (JobFailedError, BotoCoreError, ClientError) as error:
        job_lifecycle.fail(backend, job, str(error))
    else:
        job_lifecycle.end(backend, job, "Completed")


def _work(backend: Backend, job: SimulatedResource) -> None:
    """Start the container, and transform every object; raises the errors that `run` handles."""
    job_lifecycle.wait_if_stuck(backend, job)
    job_lifecycle.wait(backend, job)
    if job.private["fault"] == "capacity":
        raise JobFailedError(job_lifecycle.NO_CAPACITY)
    with backend.lock:
        job.facts["TransformStartTime"] = backend.now()
    s3, source = backend.client("s3"), job.facts["TransformInput"]["DataSource"]["S3DataSource"]
    container = _start_container(backend, s3, job)
    found = storage.find(s3, source)
    if not found:
        raise JobFailedError(f"ClientError: No S3 objects found under S3 URL: {source['S3Uri']}")
    stream = f"{job.name}/i-{uuid.uuid4().hex[:17]}/data-log"
    log = LogStream(backend.client("logs"), LOG_GROUP, stream, backend.now)
    with _Transform(backend, job, container, log) as transform:
        for stored in found:
            transform.transform(s3, stored)
        if job.private["fault"] == "fail":
            raise JobFailedError(f"AlgorithmError: {_SEE_LOGS}")


def _start_container(backend: Backend, s3: Any, job: SimulatedResource) -> Container:
    """Load the job's model; raises `JobFailedError`."""
    model = backend.get(MODEL, job.facts["ModelName"])
    if not model:
        raise JobFailedError(f'ClientError: Could not find model "{job.facts["ModelName"]}".')
    container = container_of(model)
    try:
        return load(storage.read_archive(s3, container["ModelDataUrl"]), container["Image"])
    except ArchiveError as error:
        raise JobFailedError(f"ClientError: {error}") from error
    except LoadError as error:
        raise JobFailedError(f"AlgorithmError: Model container failed to respond to ping ({error})") from error


class _Transform:
    """Sends a job's objects through the container. Use it in a `with` statement, which flushes the log."""

    def __init__(self, backend: Backend, job: SimulatedResource, container: Container, log: LogStream) -> None:
        self._backend = backend
        self._job = job
        self._container = container
        self._stream = log
        self._input = job.facts["TransformInput"]
        self._output = job.facts["TransformOutput"]
        self._max_batch_bytes = job.facts.get("MaxPayloadInMB", PAYLOAD_MB) * 1024 * 1024
        self._single = job.facts.get("BatchStrategy") == "SingleRecord"

    def __enter__(self) -> Self:
        strategy = "SINGLE_RECORD" if self._single else "MULTI_RECORD"
        megabytes = self._max_batch_bytes // 1024**2
        self._log(f"MaxConcurrentTransforms=1, MaxPayloadInMB={megabytes}, BatchStrategy={strategy}")
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.flush()

    def transform(self, s3: Any, stored: StoredObject) -> None:
        """Transform one object; raises `JobFailedError` and `StorageError`."""
        output = bytearray()
        for batch in self._batches(storage.read(s3, stored, self._input.get("CompressionType")), stored):
            job_lifecycle.wait(self._backend, self._job, 0)
            response = self._container.invoke(batch, self._input.get("ContentType"), self._output.get("Accept"))
            if response.status // 100 != 2:
                self._raise_refusal(stored, response)
            output += response.body
            if self._output.get("AssembleWith") == "Line" and not response.body.endswith(b"\n"):
                output += b"\n"
        storage.write(s3, storage.join_url(self._output["S3OutputPath"], f"{stored.path}.out"), bytes(output))

    def _batches(self, content: bytes, stored: StoredObject) -> Iterator[bytes]:
        """Yield the bodies of requests: the whole object, one line each, or as many lines as fit."""
        if self._input.get("SplitType", "None") == "None":
            yield self._within_limit(content, stored)
            return
        batch = bytearray()
        for line in BytesIO(content):
            if batch and (self._single or len(batch) + len(line) > self._max_batch_bytes):
                yield bytes(batch)
                batch.clear()
            batch += self._within_limit(line, stored)
        if batch:
            yield bytes(batch)

    def _within_limit(self, record: bytes, stored: StoredObject) -> bytes:
        """Return a record; raises `JobFailedError` if it exceeds the largest batch."""
        if len(record) > self._max_batch_bytes:
            self._log(f"{stored.bucket}/{stored.key}: Record of {len(record)} bytes exceeds MaxPayloadInMB")
            raise JobFailedError(f"ClientError: {_SEE_LOGS}")
        return record

    def _raise_refusal(self, stored: StoredObject, response: HttpResponse) -> None:
        """Log the container's error response; raises `JobFailedError`."""
        kind = "ClientError" if response.status < 500 else "AlgorithmError"
        body = response.body.decode("utf-8", "replace")
        for line in (f"{kind}: {response.status}", "", "Message:", *body.splitlines()):
            self._log(f"{stored.bucket}/{stored.key}: {line}")
        raise JobFailedError(f"{kind}: {_SEE_LOGS}")

    def _log(self, text: str) -> None:
        self._stream.write(f"{self._backend.now():%Y-%m-%dT%H:%M:%S}.000:[sagemaker logs]: {text}")
