"""`evaluate --on batch`: rows through a batch transform job, and its answers joined back by their place.

The job's name is derived from the model and the rows, so the same command finds it again. When it is done, what it read
and wrote is deleted, and the model that was made for it; the job itself stays in SageMaker's list for ever.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from chalicelib.endpoint import ACCEPT, CONTENT_TYPE, parse_scores
from operations.aws import bucket, names, prices
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there
from operations.aws.plan import PENNIES, Item, propose
from operations.aws.waiting import wait_for
from operations.aws.watching import RESUME
from operations.endpoint import endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.inventory.resources import TRANSFORMED, Resource
from operations.jobs.endpoint_scorer import chunks_of
from operations.jobs.job_log import JobLog
from operations.jobs.job_progress import LAST_LINES
from operations.teardown import deletions
from training.evaluation.predictions import Floats

FILE_BYTES = 16_000_000
PAYLOAD_MB = 6  # what the container takes at a time
PURPOSE = "batch"
LOG_GROUP = "/aws/sagemaker/TransformJobs"
MADE_TAG = "verdict:made-model"  # on a job: the model that was made for it, and goes with it
_MADE = MADE_TAG.partition(":")[2].replace("-", "_")
_LAST_LINES_SECONDS = 2.0


@dataclass(frozen=True)
class Batch:
    """A transform job: its name, what was said of it (nothing: it is to be made), and the rows of each of its files."""

    name: str
    told: dict[str, Any]
    files: list[list[str]]

    @property
    def below(self) -> str:
        """The key, in the bucket, below which everything of it lies."""
        return f"transform/{self.name}"

    def objects(self) -> Iterator[tuple[str, str]]:
        """Yield the keys of its files and of what is written for each."""
        for number in range(len(self.files)):
            name = f"part-{number:04d}.libsvm"
            yield f"{self.below}/input/{name}", f"{self.below}/output/{name}.out"


def score_in_batch(
    aws: Aws, stage: str, candidate: Candidate, rows: Sequence[str], instance_type: str, yes: bool
) -> Floats:
    """Return what a batch transform with a candidate's model says of rows.

    Raises `AwsError` when the job fails or does not answer every row, `StoppedWaitingError` on Ctrl-C.
    """
    batch = find(aws.account, stage, candidate, rows, instance_type)
    if not batch.told:
        _propose(aws, stage, candidate, batch, instance_type, yes)
        _begin(aws, stage, candidate, batch, instance_type)
    told = _wait(aws, batch.name)
    if told["TransformJobStatus"] != "Completed":
        error = _ended_badly(aws, batch, told)
        clean_up(aws, batch)
        raise error
    scores = _read(aws.account, batch)
    clean_up(aws, batch)
    return np.array(scores)


def find(account: Account, stage: str, candidate: Candidate, rows: Sequence[str], instance_type: str) -> Batch:
    """Find the job under way, or done and not yet read, that scores these rows; else one to be made, by a free name."""
    files = list(chunks_of(rows, FILE_BYTES))
    model = _model_name(account, stage, candidate)
    for attempt in count(1):
        name = names.job(stage, "score", [model, instance_type, list(rows)], attempt)
        batch = Batch(name, describe(account, name), files)
        outputs = {output for _, output in batch.objects()}
        status = batch.told.get("TransformJobStatus")
        if status in (None, "InProgress") or (
            status == "Completed" and outputs <= set(bucket.keys(account, f"{batch.below}/output/"))
        ):
            break
    return batch


def describe(account: Account, name: str) -> dict[str, Any]:
    """Return what is told about a transform job, nothing when there is no such job."""
    return if_there(account.client("sagemaker").describe_transform_job, TransformJobName=name) or {}


def _propose(aws: Aws, stage: str, candidate: Candidate, batch: Batch, instance_type: str, yes: bool) -> None:
    price = prices.instance("transform", instance_type, aws.account.region)
    rows = sum(map(len, batch.files))
    items = [
        Item("model", _model_name(aws.account, stage, candidate)),
        Item("objects", bucket.uri(aws.account, batch.below), PENNIES),
        Item("transform job", batch.name, price),
    ]
    propose(aws.console, f"Scoring {rows:,} rows on {instance_type}; all of it goes afterwards", items, yes)


def _begin(aws: Aws, stage: str, candidate: Candidate, batch: Batch, instance_type: str) -> None:
    """Make a model of its own, store the rows, and begin the job."""
    model = models.ensure(aws, stage, candidate, purpose=PURPOSE)
    for (key, _), rows in zip(batch.objects(), batch.files, strict=True):
        bucket.put_bytes(aws.account, key, "".join(f"{row}\n" for row in rows).encode())
    aws.account.client("sagemaker").create_transform_job(
        TransformJobName=batch.name,
        ModelName=model,
        BatchStrategy="MultiRecord",
        MaxPayloadInMB=PAYLOAD_MB,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": _uri(aws.account, batch, "input")}},
            "ContentType": CONTENT_TYPE,
            "SplitType": "Line",
        },
        TransformOutput={
            "S3OutputPath": _uri(aws.account, batch, "output"),
            "Accept": ACCEPT,
            "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": instance_type, "InstanceCount": 1},
        Tags=names.tags(stage, candidate.release_id, **{_MADE: model}),
    )
    aws.journal.write("created", "transform-job", batch.name, stage=stage, release=candidate.release_id)


def _uri(account: Account, batch: Batch, folder: str) -> str:
    return bucket.uri(account, f"{batch.below}/{folder}/")


def _model_name(account: Account, stage: str, candidate: Candidate) -> str:
    """Name the model of a batch, which no endpoint shares, since it is deleted afterwards."""
    return str(models.request(account, stage, candidate, purpose=PURPOSE)["ModelName"])


def _wait(aws: Aws, name: str) -> dict[str, Any]:
    """Wait until a job has ended, and return what is told of it."""
    return wait_for(
        look=lambda: describe(aws.account, name),
        done=lambda told: told["TransformJobStatus"] not in ("InProgress", "Stopping"),
        say=lambda told: f"{name} is {told['TransformJobStatus']}",
        console=aws.console,
        resume=RESUME,
        pause=aws.pause,
    )


def _read(account: Account, batch: Batch) -> list[float]:
    """Fetch what was written and join it with the rows by place; raises `EndpointError` for more or fewer scores."""
    scores: list[float] = []
    for (_, output), rows in zip(batch.objects(), batch.files, strict=True):
        lines = [line for line in bucket.get_bytes(account, output).split(b"\n") if line.strip()]
        scores += parse_scores(b"\n".join(lines), len(rows))
    return scores


def _ended_badly(aws: Aws, batch: Batch, told: dict[str, Any]) -> AwsError:
    """Return the error that says why a job did not complete."""
    aws.pause(_LAST_LINES_SECONDS)
    log = JobLog(aws.account.client("logs"), batch.name, LOG_GROUP)
    last = "".join(f"\n  {line}" for line in log.read()[-LAST_LINES:])
    told_last = f"\nIts log ends:{last}" if last else ""
    reason = str(told.get("FailureReason") or "no reason given").rstrip(".")
    return AwsError(
        f"The transform job {batch.name} {told['TransformJobStatus'].lower()}: {reason}. Nothing of it is left; "
        f"{RESUME} begins another one.{told_last}",
        "job-failed",
    )


def clean_up(aws: Aws, batch: Batch) -> None:
    """Delete what a job read and wrote, and the model that was made for it."""
    address = bucket.uri(aws.account, f"{batch.below}/")
    deletions.transform_output(aws, Resource(TRANSFORMED, address, ""))
    aws.journal.write("deleted", "object", address)
    arn = describe(aws.account, batch.name).get("TransformJobArn")
    if arn:
        tags = aws.account.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
        endpoint_state.delete_configs_and_models(
            aws, models=[model for model in [names.tag_value(tags, MADE_TAG)] if model]
        )
