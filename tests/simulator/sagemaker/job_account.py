"""Jobs for tests: channels in S3, short calls that start jobs with default parameters, and waiters."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulator.sagemaker.account import BUCKET, Account, wait_for
from training.features.channels import CHANNEL_FILES, pair_of
from training.model.container_image import image_uri

FOLD = 4
_STATUS = {
    "Training": ("TrainingJobName", "TrainingJobStatus"),
    "HyperParameterTuning": ("HyperParameterTuningJobName", "HyperParameterTuningJobStatus"),
    "Transform": ("TransformJobName", "TransformJobStatus"),
}


def channel(name: str, folder: str, distribution: str = "FullyReplicated", **more: Any) -> dict[str, Any]:
    """Return the configuration of a channel in S3."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{folder}", "S3DataDistributionType": distribution}
    return {"ChannelName": name, "ContentType": "text/libsvm", "DataSource": {"S3DataSource": source}, **more}


@dataclass
class JobAccount:
    """An account with the channels of generated reviews under `channels/`."""

    account: Account
    hyperparameters: dict[str, str]

    def __post_init__(self) -> None:
        self.sagemaker = self.account.sagemaker
        self.s3 = self.account.s3

    def upload(self, folder: Path) -> None:
        """Upload the channels of a fold to S3."""
        for name, file in CHANNEL_FILES.items():
            self.put(f"channels/{name}/{name}.libsvm", (folder / pair_of(FOLD) / file).read_bytes())

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def get(self, url: str) -> bytes:
        """Read an object."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def definition(self, **changes: Any) -> dict[str, Any]:
        """Return the members that training job and tuning job requests share."""
        return {
            "AlgorithmSpecification": {"TrainingImage": image_uri("us-east-1"), "TrainingInputMode": "File"},
            "RoleArn": self.account.role,
            "InputDataConfig": [channel("train", "channels/train/"), channel("validation", "channels/validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        } | changes

    def start(self, hyperparameters: dict[str, str] | None = None, **changes: Any) -> str:
        """Start a training job; returns its name."""
        name = self.account.new_name()
        combined = self.hyperparameters | (hyperparameters or {})
        request = {"TrainingJobName": name, "HyperParameters": combined} | self.definition(**changes)
        self.sagemaker.create_training_job(**request)
        return name

    def train(self, hyperparameters: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """Run a training job to its end; returns its description."""
        return self.ended("Training", self.start(hyperparameters, **changes))

    def ended(self, kind: str, name: str) -> dict[str, Any]:
        """Wait until a job has ended, successfully or not; returns its description."""
        member, status = _STATUS[kind]
        return self.reached(kind, name, status, "Completed", "Failed", "Stopped", member=member)

    def reached(self, kind: str, name: str, path: str, *values: str | int, member: str = "") -> dict[str, Any]:
        """Wait until a job has one of some values at a JMESPath; returns its description."""
        member = member or _STATUS[kind][0]
        acceptors = [{"matcher": "path", "argument": path, "expected": value, "state": "success"} for value in values]
        wait_for(self.sagemaker, f"Describe{kind}Job", *acceptors, **{member: name})
        describe = {
            "Training": self.sagemaker.describe_training_job,
            "HyperParameterTuning": self.sagemaker.describe_hyper_parameter_tuning_job,
            "Transform": self.sagemaker.describe_transform_job,
        }[kind]
        described: dict[str, Any] = describe(**{member: name})
        return described

    def wait_for_line(self, name: str, text: str) -> None:
        """Wait until a training job has logged a line that contains a text."""
        self._wait_for_logs("DescribeLogStreams", "length(logStreams) > `0`", logStreamNamePrefix=f"{name}/")
        (stream,) = self._streams("TrainingJobs", f"{name}/")
        found = f"length(events[?contains(message, '{text}')]) > `0`"
        self._wait_for_logs("GetLogEvents", found, logStreamName=stream, startFromHead=True)

    def _wait_for_logs(self, operation: str, path: str, **request: Any) -> None:
        seen = {"matcher": "path", "argument": path, "expected": True, "state": "success"}
        absent = {"matcher": "error", "expected": "ResourceNotFoundException", "state": "retry"}
        logs = self.account.aws.client("logs")
        wait_for(logs, operation, seen, absent, logGroupName="/aws/sagemaker/TrainingJobs", **request)

    def _streams(self, group: str, prefix: str) -> list[str]:
        found = self.account.aws.client("logs").describe_log_streams(
            logGroupName=f"/aws/sagemaker/{group}", logStreamNamePrefix=prefix
        )["logStreams"]
        return [stream["logStreamName"] for stream in found]

    def log(self, group: str, job: str, stream: str = "") -> str:
        """Return a job's log lines, from the streams whose names start with `stream`."""
        logs = self.account.aws.client("logs")
        pages = [
            logs.get_log_events(logGroupName=f"/aws/sagemaker/{group}", logStreamName=name, startFromHead=True)
            for name in self._streams(group, f"{job}/{stream}")
        ]
        return "\n".join(event["message"] for page in pages for event in page["events"])


def unpack(archive: bytes) -> dict[str, bytes]:
    """Return all files of a .tar.gz, by name."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
