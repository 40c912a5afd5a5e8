"""A batch transform job from its beginning to its end: every object's records through the model, in batches, to `.out`.

The container's quirks come by themselves (an empty row at the end of a batch has no score). A batch that the container
refuses fails the job: DescribeTransformJob says no more than where to look, the job's log holds the container's words.
`AssembleWith` `Line` ends every batch's answer with a newline, unless it has one. Output that was written before a
failure stays, as on AWS.
"""

import gzip
import uuid
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.container.errors import LONGEST_REASON
from simulator.container.serving import Container
from simulator.sagemaker.backend import Backend, Resource
from simulator.sagemaker.hosting import archives, models, startup
from simulator.sagemaker.hosting.archives import ArchiveError
from simulator.sagemaker.hosting.startup import LoadError
from simulator.sagemaker.jobs import job_states, stored
from simulator.sagemaker.jobs.job_logs import LogStream
from simulator.sagemaker.jobs.job_states import JobStoppedError
from simulator.sagemaker.jobs.stored import StorageError, Stored
from simulator.wire import Answer

KIND = "transform-job"
STATUS = "TransformJobStatus"
LOG_GROUP = "/aws/sagemaker/TransformJobs"
PAYLOAD_MB = 6  # of a batch, unless the job says otherwise: what the container's execution parameters ask for
_SEE_LOGS = "See job logs for more information"


class _JobFailedError(Exception):
    """The job cannot go on; the message is its `FailureReason`."""


def run(world: Backend, job: Resource) -> None:
    """Do all of a job's work; raises `StoppedError` when the simulator stops meanwhile."""
    reason = ""
    try:
        _work(world, job)
        end = "Completed"
    except JobStoppedError:
        end = "Stopped"
    except (_JobFailedError, BotoCoreError, ClientError) as error:
        end, reason = "Failed", str(error)
    _end(world, job, end, reason)


def fail(world: Backend, job: Resource, reason: str) -> None:
    """Let a job end that cannot go on, whatever it was doing."""
    _end(world, job, "Failed", reason)


def _end(world: Backend, job: Resource, end: str, reason: str) -> None:
    """Let a job end; `reason` "" for one that did not fail."""
    with world.lock:
        now = world.now()
        job.facts.update({STATUS: end, "TransformEndTime": now, "LastModifiedTime": now})
        if reason:
            job.facts["FailureReason"] = reason[:LONGEST_REASON]
    job.private["done"].set()


def _work(world: Backend, job: Resource) -> None:
    """Start the container, and transform every object."""
    mishap = job.private["mishap"]
    if mishap == "stuck":
        job_states.hang(world, job)
    job_states.pause(world, job)
    if mishap == "capacity":
        raise _JobFailedError(job_states.NO_CAPACITY)
    with world.lock:
        job.facts["TransformStartTime"] = world.now()
    s3 = world.client("s3")
    container = _container(world, s3, job)
    found = _inputs(s3, job)
    log = LogStream(world.client("logs"), LOG_GROUP, f"{job.name}/i-{uuid.uuid4().hex[:17]}/data-log", world.now)
    transform = _Transform(world, job, container, log)
    try:
        transform.begin()
        for one in found:
            transform.do(s3, one)
        if mishap == "fail":
            raise _JobFailedError(f"AlgorithmError: {_SEE_LOGS}")
    finally:
        log.flush()


def _container(world: Backend, s3: Any, job: Resource) -> Container:
    """Load the model that the job names."""
    with world.lock:
        model = world.resources.get((models.KIND, job.facts["ModelName"]))
    if not model:
        raise _JobFailedError(f'ClientError: Could not find model "{job.facts["ModelName"]}".')
    try:
        return startup.load(archives.files_in_root(s3, model.facts["PrimaryContainer"]["ModelDataUrl"]))
    except ArchiveError as error:
        raise _JobFailedError(f"ClientError: {error}") from error
    except LoadError as error:
        raise _JobFailedError(f"AlgorithmError: Model container failed to respond to ping ({error})") from error


def _inputs(s3: Any, job: Resource) -> list[Stored]:
    """Return the objects to transform."""
    source = job.facts["TransformInput"]["DataSource"]["S3DataSource"]
    try:
        found = (stored.in_manifest if source["S3DataType"] == "ManifestFile" else stored.find)(s3, source["S3Uri"])
    except StorageError as error:
        raise _JobFailedError(f"ClientError: {error}") from error
    if not found:
        raise _JobFailedError(f"ClientError: No S3 objects found under S3 URL: {source['S3Uri']}")
    return found


class _Transform:
    """One job's way of putting objects through the container."""

    def __init__(self, world: Backend, job: Resource, container: Container, log: LogStream) -> None:
        self._world = world
        self._job = job
        self._container = container
        self._log = log
        self._input = job.facts["TransformInput"]
        self._output = job.facts["TransformOutput"]
        self._largest_bytes = job.facts.get("MaxPayloadInMB", PAYLOAD_MB) * 1024 * 1024
        self._single = job.facts.get("BatchStrategy") == "SingleRecord"

    def begin(self) -> None:
        """Log how batches are made."""
        strategy = "SINGLE_RECORD" if self._single else "MULTI_RECORD"
        megabytes = self._largest_bytes // 1024**2
        self._tell(f"MaxConcurrentTransforms=1, MaxPayloadInMB={megabytes}, BatchStrategy={strategy}")

    def do(self, s3: Any, one: Stored) -> None:
        """Transform one object."""
        written = bytearray()
        try:
            for batch in self._batches(self._read(s3, one), one):
                job_states.pause(self._world, self._job, 0)
                answer = self._container.invoke(batch, self._input.get("ContentType"), self._output.get("Accept"))
                if answer.status // 100 != 2:
                    self._refuse(one, answer)
                written += answer.body
                if self._output.get("AssembleWith") == "Line" and not answer.body.endswith(b"\n"):
                    written += b"\n"
            stored.write(s3, stored.below(self._output["S3OutputPath"], f"{one.path}.out"), bytes(written))
        except StorageError as error:
            raise _JobFailedError(f"ClientError: {error}") from error

    def _read(self, s3: Any, one: Stored) -> bytes:
        content = stored.read(s3, one.bucket, one.key)
        if self._input.get("CompressionType") != "Gzip":
            return content
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise StorageError(f"{one.url} is not compressed by gzip ({error})") from error

    def _batches(self, content: bytes, one: Stored) -> Iterator[bytes]:
        """Yield what is sent at a time: the whole object, a line, or as many lines as fit."""
        if self._input.get("SplitType", "None") == "None":
            yield self._fitting(content, one)
            return
        batch = bytearray()
        for line in BytesIO(content):
            if batch and (self._single or len(batch) + len(line) > self._largest_bytes):
                yield bytes(batch)
                batch.clear()
            batch += self._fitting(line, one)
        if batch:
            yield bytes(batch)

    def _fitting(self, record: bytes, one: Stored) -> bytes:
        """Return a record, unless it is larger than a batch may be."""
        if len(record) > self._largest_bytes:
            self._tell(f"{one.bucket}/{one.key}: Record of {len(record)} bytes exceeds MaxPayloadInMB")
            raise _JobFailedError(f"ClientError: {_SEE_LOGS}")
        return record

    def _refuse(self, one: Stored, answer: Answer) -> None:
        """Log what the container said; raises the error that fails the job."""
        kind = "ClientError" if answer.status < 500 else "AlgorithmError"
        for line in (f"{kind}: {answer.status}", "", "Message:", *answer.body.decode("utf-8", "replace").splitlines()):
            self._tell(f"{one.bucket}/{one.key}: {line}")
        raise _JobFailedError(f"{kind}: {_SEE_LOGS}")

    def _tell(self, text: str) -> None:
        self._log.write(f"{self._world.now():%Y-%m-%dT%H:%M:%S}.000:[sagemaker logs]: {text}")
