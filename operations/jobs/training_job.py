"""One training job of the pinned XGBoost image: its request, name and state.

A job's name is derived from everything that determines its result. So the same command finds a job that is in progress
or completed, and starts another one only if that failed, was stopped, or its model was deleted.

No metric definitions are sent: SageMaker has its own for its images, and refuses others.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import bucket, names, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there
from operations.endpoint.candidate import unpack_model
from operations.jobs.job_log import JobLog
from training.model import container_image as images

CONTENT_TYPE = "text/libsvm"
VOLUME_GB = 10
UNDER_WAY = ("InProgress", "Stopping")
_SPOT_WAIT_FACTOR = 4  # a spot job may wait and run for this many times its time limit
_LOCAL_HYPERPARAMETERS = frozenset(("nthread",))  # for this machine: a job uses all threads of its own


@dataclass(frozen=True)
class JobResources:
    """The instances of a job, and its time limit. The field names are part of job names."""

    instance_type: str
    instance_count: int = 1
    spot: bool = False
    minutes: int = 60


@dataclass(frozen=True)
class TrainingTask:
    """What a job trains: its purpose, which is part of its name, hyperparameters, and channels (s3:// addresses)."""

    purpose: str
    hyperparameters: dict[str, str]
    train: str
    validation: str = ""
    volume_gb: int = VOLUME_GB  # of each instance

    @property
    def label(self) -> str:
        """The short name, among the jobs of a run: `fold-3`."""
        return self.purpose.split("-", 2)[-1]


@dataclass
class TrainingJob:
    """A training job; `description` is the DescribeTrainingJob response, {} if it does not exist yet."""

    task: TrainingTask
    request: dict[str, Any]
    log: JobLog
    description: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name on SageMaker."""
        return str(self.request["TrainingJobName"])

    @property
    def status(self) -> str:
        """InProgress, Completed, Failed, Stopping or Stopped; "" if it does not exist yet."""
        return str(self.description.get("TrainingJobStatus", ""))

    @property
    def state(self) -> str:
        """The secondary status: Downloading, Training, ...; "waiting" if it does not exist yet."""
        return str(self.description.get("SecondaryStatus") or self.status or "waiting")

    @property
    def billable_seconds(self) -> int:
        """Billed instance seconds, 0 while unknown."""
        seconds = int(self.description.get("BillableTimeInSeconds", 0))
        return seconds * int(self.request["ResourceConfig"]["InstanceCount"])

    @property
    def model_uri(self) -> str:
        """The s3:// address of a completed job's model archive."""
        return str(self.description["ModelArtifacts"]["S3ModelArtifacts"])

    def model(self, account: Account) -> bytes:
        """Download a completed job's model (UBJSON)."""
        return unpack_model(bucket.fetch(account, self.model_uri))


def remote_hyperparameters(hyperparameters: dict[str, str]) -> dict[str, str]:
    """Return the hyperparameters that a job gets."""
    return {name: value for name, value in hyperparameters.items() if name not in _LOCAL_HYPERPARAMETERS}


def definition(account: Account, resources: JobResources) -> dict[str, Any]:
    """Return what training and tuning jobs have in common: image, role, instances, limits."""
    seconds = resources.minutes * 60
    stopping = {"MaxRuntimeInSeconds": seconds}
    if resources.spot:
        stopping["MaxWaitTimeInSeconds"] = seconds * _SPOT_WAIT_FACTOR
    return {
        "AlgorithmSpecification": {"TrainingImage": images.image_uri(account.region), "TrainingInputMode": "File"},
        "RoleArn": role.require(account),
        "OutputDataConfig": {"S3OutputPath": bucket.uri(account, "jobs")},
        "ResourceConfig": {
            "InstanceType": resources.instance_type,
            "InstanceCount": resources.instance_count,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": stopping,
        "EnableNetworkIsolation": True,
        "EnableManagedSpotTraining": resources.spot,
    }


def channels(task: TrainingTask, resources: JobResources) -> list[dict[str, Any]]:
    """Return a job's channels of libsvm files; several instances each get a part of the train channel."""
    distribution = "ShardedByS3Key" if resources.instance_count > 1 else "FullyReplicated"
    found = [_channel("train", task.train, distribution)]
    return found + ([_channel("validation", task.validation, "FullyReplicated")] if task.validation else [])


def _channel(name: str, address: str, distribution: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": distribution}
    return {"ChannelName": name, "ContentType": CONTENT_TYPE, "DataSource": {"S3DataSource": source}}


def find(account: Account, stage: str, task: TrainingTask, resources: JobResources, run: str = "") -> TrainingJob:
    """Return the job of a task that is in progress or completed, else a new one with an unused name."""
    wanted = {
        **definition(account, resources),
        "HyperParameters": remote_hyperparameters(task.hyperparameters),
        "InputDataConfig": channels(task, resources),
    }
    wanted["ResourceConfig"] |= {"VolumeSizeInGB": task.volume_gb}
    for attempt in count(1):
        name = names.job(stage, task.purpose, wanted, attempt)
        request = {"TrainingJobName": name, **wanted, "Tags": names.tags(stage, run=run)}
        if resources.spot:
            request["CheckpointConfig"] = {"S3Uri": bucket.uri(account, f"jobs/{name}/checkpoints")}
        job = TrainingJob(task, request, JobLog(account.client("logs"), name), describe(account, name))
        if job.status in ("", "InProgress") or (job.status == "Completed" and _has_model(account, job)):
            break
    return job


def describe(account: Account, name: str) -> dict[str, Any]:
    """Return the description of a job, {} if it does not exist."""
    return if_there(account.client("sagemaker").describe_training_job, TrainingJobName=name) or {}


def _has_model(account: Account, job: TrainingJob) -> bool:
    """Return whether a completed job's model is still in the bucket."""
    prefix = bucket.uri(account, "")
    key = job.model_uri.removeprefix(prefix)
    return job.model_uri.startswith(prefix) and key in bucket.keys(account, key)


def start(aws: Aws, job: TrainingJob) -> None:
    """Start a job."""
    aws.account.client("sagemaker").create_training_job(**job.request)
    job.description = describe(aws.account, job.name)


def stop(aws: Aws, name: str) -> bool:
    """Stop a job, and return whether it was in progress."""
    if describe(aws.account, name).get("TrainingJobStatus") != "InProgress":
        return False
    try:
        aws.account.client("sagemaker").stop_training_job(TrainingJobName=name)
    except ClientError:
        if describe(aws.account, name).get("TrainingJobStatus") in UNDER_WAY:
            raise
        return False
    return True
