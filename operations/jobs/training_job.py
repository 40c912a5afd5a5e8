"""One training job of the pinned XGBoost image: its request, its name, and what has become of it.

A job's name is derived from all that decides what it makes. So the same command finds a job that is under way or done,
and begins another one only for a job that failed, was stopped, or whose model is gone.

No metric definitions are sent: for its own images SageMaker knows them, and refuses those of others.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import bucket, names, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there
from operations.endpoint import candidate
from operations.jobs.job_log import JobLog
from training.model import container_image as images

CONTENT_TYPE = "text/libsvm"
VOLUME_GB = 10
UNDER_WAY = ("InProgress", "Stopping")
_MOST_WAITING = 4  # times its longest run that a job waits for spare machines
_OURS = frozenset(("nthread",))  # about this machine: a job has a machine of its own, and uses all of it


@dataclass(frozen=True)
class JobResources:
    """What jobs run on: how many instances of a type, spare ones or not, and for how long at most."""

    instance_type: str
    instance_count: int = 1
    spot: bool = False
    minutes: int = 60


@dataclass(frozen=True)
class TrainingTask:
    """What a job is to do: its purpose, which names it, string hyperparameters, and its channels' s3:// addresses."""

    purpose: str
    hyperparameters: dict[str, str]
    train: str
    validation: str = ""

    @property
    def label(self) -> str:
        """What people call it, of several: `fold-3`."""
        return self.purpose.split("-", 2)[-1]


@dataclass
class TrainingJob:
    """A job that exists (`told` is what DescribeTrainingJob said) or is to be made of `request` (`told` is empty)."""

    work: TrainingTask
    request: dict[str, Any]
    log: JobLog
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name on SageMaker."""
        return str(self.request["TrainingJobName"])

    @property
    def status(self) -> str:
        """InProgress, Completed, Failed, Stopping or Stopped; "" for one that does not exist yet."""
        return str(self.told.get("TrainingJobStatus", ""))

    @property
    def state(self) -> str:
        """Where it stands, more closely: Downloading, Training, ...; "waiting" for one that does not exist yet."""
        return str(self.told.get("SecondaryStatus") or self.status or "waiting")

    @property
    def billable_seconds(self) -> int:
        """What it is billed for; 0 while that is not known."""
        return int(self.told.get("BillableTimeInSeconds", 0)) * int(self.request["ResourceConfig"]["InstanceCount"])

    def model(self, account: Account) -> bytes:
        """Fetch the model that a completed job made (UBJSON)."""
        return candidate.unpack_model(bucket.fetch(account, str(self.told["ModelArtifacts"]["S3ModelArtifacts"])))


def sent(hyperparameters: dict[str, str]) -> dict[str, str]:
    """Return what a job is told of string hyperparameters."""
    return {name: text for name, text in hyperparameters.items() if name not in _OURS}


def definition(account: Account, machines: JobResources) -> dict[str, Any]:
    """Return what training jobs and those of a tuning job have in common: image, role, machines, limits."""
    seconds = machines.minutes * 60
    stopping = {"MaxRuntimeInSeconds": seconds}
    if machines.spot:
        stopping["MaxWaitTimeInSeconds"] = seconds * _MOST_WAITING
    return {
        "AlgorithmSpecification": {"TrainingImage": images.image_uri(account.region), "TrainingInputMode": "File"},
        "RoleArn": role.need(account),
        "OutputDataConfig": {"S3OutputPath": bucket.uri(account, "jobs")},
        "ResourceConfig": {
            "InstanceType": machines.instance_type,
            "InstanceCount": machines.instance_count,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": stopping,
        "EnableNetworkIsolation": True,
        "EnableManagedSpotTraining": machines.spot,
    }


def channels(work: TrainingTask, machines: JobResources) -> list[dict[str, Any]]:
    """Return the channels of a job: libsvm files, and the train channel's parts dealt out to several instances."""
    spread = "ShardedByS3Key" if machines.instance_count > 1 else "FullyReplicated"
    found = [_channel("train", work.train, spread)]
    return found + ([_channel("validation", work.validation, "FullyReplicated")] if work.validation else [])


def _channel(name: str, address: str, spread: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": spread}
    return {"ChannelName": name, "ContentType": CONTENT_TYPE, "DataSource": {"S3DataSource": source}}


def find(account: Account, stage: str, work: TrainingTask, machines: JobResources) -> TrainingJob:
    """Find the job that does a work, under way or done; else return one that is to be made, under a name still free."""
    wanted = {
        **definition(account, machines),
        "HyperParameters": sent(work.hyperparameters),
        "InputDataConfig": channels(work, machines),
    }
    for attempt in count(1):
        name = names.job(stage, work.purpose, wanted, attempt)
        told = describe(account, name)
        if not told or told["TrainingJobStatus"] == "InProgress" or _is_kept(account, told):
            break
    request = {"TrainingJobName": name, **wanted, "Tags": names.tags(stage)}
    if machines.spot:
        request["CheckpointConfig"] = {"S3Uri": bucket.uri(account, f"jobs/{name}/checkpoints")}
    return TrainingJob(work, request, JobLog(account.client("logs"), name), told)


def describe(account: Account, name: str) -> dict[str, Any]:
    """Return what is told about a job, nothing when there is no such job."""
    return if_there(account.client("sagemaker").describe_training_job, TrainingJobName=name) or {}


def _is_kept(account: Account, told: dict[str, Any]) -> bool:
    """Tell whether a job completed and its model is still in the bucket."""
    if told["TrainingJobStatus"] != "Completed":
        return False
    below = bucket.uri(account, "")
    address = str(told["ModelArtifacts"]["S3ModelArtifacts"])
    return address.startswith(below) and address.removeprefix(below) in bucket.keys(account, address[len(below) :])


def create(aws: Aws, job: TrainingJob) -> None:
    """Begin a job, and record it."""
    sagemaker = aws.account.client("sagemaker")
    sagemaker.create_training_job(**job.request)
    aws.journal.write("created", "training-job", job.name)
    job.told = describe(aws.account, job.name)


def stop(aws: Aws, name: str) -> bool:
    """Ask a job to stop; False when it has ended by itself."""
    if describe(aws.account, name).get("TrainingJobStatus") != "InProgress":
        return False
    try:
        aws.account.client("sagemaker").stop_training_job(TrainingJobName=name)
    except ClientError:
        if describe(aws.account, name).get("TrainingJobStatus") in UNDER_WAY:
            raise
        return False
    aws.journal.write("updated", "training-job", name, status="Stopping")
    return True
