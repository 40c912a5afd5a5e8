"""Rows scored by a batch transform job, and the scores joined back to the rows by position.

Rows and scores pass through files, so that there may be any number of rows.

The job's name is derived from the model and the rows, so the same command finds it again. When it is complete, its
input and output are deleted, and the model that was created for it. SageMaker keeps a record of the job itself.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from botocore.exceptions import ClientError

from chalicelib.endpoint import ACCEPT, CONTENT_TYPE, parse_scores
from operations.aws import bucket, names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, is_taken
from operations.aws.listing import tags_of
from operations.aws.names import MODEL_TAG, is_tagged
from operations.aws.plan import MINOR_COST, Item, propose
from operations.aws.waiting import wait_for
from operations.aws.watching import RESUME
from operations.endpoint import endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.inventory.resources import Kind, Resource
from operations.jobs.endpoint_scorer import chunks_of
from operations.jobs.job_log import JobLog, log_tail
from operations.teardown import deletions
from training.evaluation.predictions import Floats

FILE_BYTES = 16_000_000
PAYLOAD_MB = 6  # the container's limit for a request
PURPOSE = "batch"
LOG_GROUP = "/aws/sagemaker/TransformJobs"
UNDER_WAY = ("InProgress", "Stopping")
_LOG_DELAY_SECONDS = 2.0


@dataclass(frozen=True)
class RowFile:
    """A file on this machine with libsvm rows, one per line."""

    path: Path
    rows: int
    sha256: str


@dataclass(frozen=True)
class BatchTransform:
    """A transform job: its name, its description ({} if it does not exist yet), and its rows."""

    name: str
    description: dict[str, Any]
    files: Sequence[RowFile]

    @property
    def prefix(self) -> str:
        """The prefix of its objects in the bucket."""
        return f"transform/{self.name}"

    @property
    def status(self) -> str:
        """InProgress, Completed, ...; "" if it does not exist yet."""
        return str(self.description.get("TransformJobStatus", ""))

    def objects(self) -> Iterator[tuple[str, str]]:
        """Yield the input and the output key of each file."""
        for number in range(len(self.files)):
            name = f"part-{number:04d}.libsvm"
            yield f"{self.prefix}/input/{name}", f"{self.prefix}/output/{name}.out"


def write_row_files(rows: Iterable[str], folder: Path) -> list[RowFile]:
    """Write rows to files of limited size in a folder."""
    files: list[RowFile] = []
    for number, chunk in enumerate(chunks_of(rows, FILE_BYTES)):
        content = "".join(f"{row}\n" for row in chunk).encode()
        path = folder / f"part-{number:04d}.libsvm"
        path.write_bytes(content)
        files.append(RowFile(path, len(chunk), hashlib.sha256(content).hexdigest()))
    return files


def score_in_batch(
    aws: Aws, stage: str, candidate: Candidate, rows: Sequence[str], instance_type: str, yes: bool
) -> Floats:
    """Return a candidate's scores of rows, from a batch transform job; raises what `score_files` does."""
    with TemporaryDirectory() as folder:
        files = write_row_files(rows, Path(folder))
        return np.array(list(score_files(aws, stage, candidate, files, instance_type, yes)))


def score_files(
    aws: Aws, stage: str, candidate: Candidate, files: Sequence[RowFile], instance_type: str, yes: bool
) -> Iterator[float]:
    """Yield a candidate's scores of the rows of files, in order, from a batch transform job.

    Raises `AwsError` if the job fails, `EndpointError` if a score is missing, `StoppedWaitingError` on Ctrl-C.
    """
    batch = find(aws.account, stage, candidate, files, instance_type)
    if not batch.status:
        _propose(aws, stage, candidate, batch, instance_type, yes)
        _start(aws, stage, candidate, batch, instance_type)
    description = _wait(aws, stage, batch.name)
    if description["TransformJobStatus"] != "Completed":
        error = _failure(aws, batch, description)
        _delete(aws, batch)
        raise error
    yield from _read_scores(aws.account, batch)
    _delete(aws, batch)


def find(
    account: Account, stage: str, candidate: Candidate, files: Sequence[RowFile], instance_type: str
) -> BatchTransform:
    """Return the job for these rows that is in progress, or completed with unread output; else a new one."""
    model = models.name_of(account, stage, candidate, purpose=PURPOSE)
    for attempt in count(1):
        name = names.job(stage, "score", [model, instance_type, *(file.sha256 for file in files)], attempt)
        batch = BatchTransform(name, describe(account, name), files)
        if batch.status in ("", "InProgress") or (batch.status == "Completed" and _has_output(account, batch)):
            break
    return batch


def _has_output(account: Account, batch: BatchTransform) -> bool:
    """Return whether all output files of a job are still in the bucket."""
    return {output for _, output in batch.objects()} <= set(bucket.keys(account, f"{batch.prefix}/output/"))


def describe(account: Account, name: str) -> dict[str, Any]:
    """Return the description of a transform job, {} if it does not exist."""
    return if_there(account.client("sagemaker").describe_transform_job, TransformJobName=name) or {}


def _propose(aws: Aws, stage: str, candidate: Candidate, batch: BatchTransform, instance_type: str, yes: bool) -> None:
    """Show what will be created, and ask for confirmation."""
    price = aws.account.prices.instance("transform", instance_type)
    rows = sum(file.rows for file in batch.files)
    items = [
        Item("model", models.name_of(aws.account, stage, candidate, purpose=_purpose(batch))),
        Item("objects", bucket.uri(aws.account, batch.prefix), MINOR_COST),
        Item("transform job", batch.name, price),
    ]
    propose(aws.console, f"Scoring {rows:,} rows on {instance_type}; everything is deleted afterwards", items, yes)


def _start(aws: Aws, stage: str, candidate: Candidate, batch: BatchTransform, instance_type: str) -> None:
    """Create the model, upload the rows, and start the job, unless the same command has started it just now."""
    model = models.ensure(aws, stage, candidate, purpose=_purpose(batch))
    for (key, _), file in zip(batch.objects(), batch.files, strict=True):
        bucket.put_bytes(aws.account, key, file.path.read_bytes())
    source = {"S3DataType": "S3Prefix", "S3Uri": bucket.uri(aws.account, f"{batch.prefix}/input/")}
    output = bucket.uri(aws.account, f"{batch.prefix}/output/")
    try:
        aws.account.client("sagemaker").create_transform_job(
            TransformJobName=batch.name,
            ModelName=model,
            BatchStrategy="MultiRecord",
            MaxPayloadInMB=PAYLOAD_MB,
            TransformInput={
                "DataSource": {"S3DataSource": source},
                "ContentType": CONTENT_TYPE,
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": output, "Accept": ACCEPT, "AssembleWith": "Line"},
            TransformResources={"InstanceType": instance_type, "InstanceCount": 1},
            Tags=[*names.tags(stage, candidate.release_id), {"Key": MODEL_TAG, "Value": model}],
        )
    except ClientError as error:
        if not is_taken(error):
            raise


def _purpose(batch: BatchTransform) -> str:
    """Return what distinguishes the model of a job, because another job of the same model deletes its own."""
    return f"{PURPOSE} {batch.name}"


def _wait(aws: Aws, stage: str, name: str) -> dict[str, Any]:
    """Wait until a job has ended, and return its description."""
    stop = f"verdict teardown --stage {stage} --jobs"
    return wait_for(
        fetch=lambda: describe(aws.account, name),
        is_done=lambda description: description["TransformJobStatus"] not in UNDER_WAY,
        describe=lambda description: f"{name} is {description['TransformJobStatus']}",
        console=aws.console,
        resume=f"{aws.command_line or RESUME}`, or stop the job with `{stop}",
        pause=aws.pause,
    )


def _read_scores(account: Account, batch: BatchTransform) -> Iterator[float]:
    """Yield the scores of all rows, in order; raises `EndpointError` unless each file has one for each row."""
    for (_, output), file in zip(batch.objects(), batch.files, strict=True):
        try:
            content = bucket.get_bytes(account, output)
        except AwsError as error:
            raise AwsError(
                f"Another command with the same rows has read and deleted the scores of {batch.name}. Repeat this one.",
                "absent",
            ) from error
        lines = [line for line in content.split(b"\n") if line.strip()]
        yield from parse_scores(b"\n".join(lines), file.rows)


def _failure(aws: Aws, batch: BatchTransform, description: dict[str, Any]) -> AwsError:
    """Return the error that explains why a job did not complete."""
    aws.pause(_LOG_DELAY_SECONDS)
    log = JobLog(aws.account.client("logs"), batch.name, LOG_GROUP)
    log.read()
    reason = str(description.get("FailureReason", "")).rstrip(".")
    stopped = "was stopped" if description["TransformJobStatus"] == "Stopped" else "failed"
    return AwsError(
        f"The transform job {batch.name} {stopped}{f': {reason}' if reason else ''}. Everything that was "
        f"created for it is deleted; {RESUME} starts another one.{log_tail(log)}",
        "job-failed",
    )


def _delete(aws: Aws, batch: BatchTransform) -> None:
    """Delete a job's input and output, and the model that was created for it."""
    deletions.delete_transform_output(
        aws, Resource(Kind.TRANSFORM_OUTPUT, bucket.uri(aws.account, f"{batch.prefix}/"), "")
    )
    arn = describe(aws.account, batch.name).get("TransformJobArn")
    model = (tags_of(aws.account, arn) or {}).get(MODEL_TAG) if arn else None
    if model and is_tagged(tags_of(aws.account, aws.account.arn("sagemaker", f"model/{model}"))):
        endpoint_state.delete_configs_and_models(aws, models=[model])
