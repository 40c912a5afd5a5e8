"""Training on channels that are in the simulated S3 already, and what is refused before a job is started."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from cli.aws.upload import command as upload_command
from cli.model.train import command
from operations.aws import bucket, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.jobs import training_job
from operations.jobs.run_jobs import JobOptions
from operations.jobs.s3_channels import S3Channels, open_channels
from operations.jobs.sagemaker_training import train_on_sagemaker
from simulator.aws import SimulatedAws
from tests.operations.candidates import printed
from training.data.reviews import DataError
from training.features.channels import PREPARED_NAME
from training.model.cross_validation import LocalChannels
from training.model.hyperparameters import with_settings
from training.model.run_folder import load_run

pytestmark = pytest.mark.usefixtures("with_role")
BUCKET, FOLDER = "their-corpus", "spark/channels"
ADDRESS = f"s3://{BUCKET}/{FOLDER}"
PART = "fold-1/train/part-00001"
OPTIONS = JobOptions("ml.m5.xlarge", instance_count=2, yes=True)
SHORT = ("num_round=3", "early_stopping_rounds=", "max_leaves=3", "eta=0.3", "seed=977")


@pytest.fixture
def s3(simulated: SimulatedAws) -> Any:
    """The simulated S3."""
    return simulated.client("s3")


@pytest.fixture
def stored(s3: Any, channels_in_parts: Path) -> Iterator[Any]:
    """Channels in three parts each, in a bucket that is not the project's."""
    s3.create_bucket(Bucket=BUCKET)
    for path in sorted(path for path in channels_in_parts.rglob("*") if path.is_file()):
        name = str(path.relative_to(channels_in_parts))
        s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}", Body=path.read_bytes(), ChecksumAlgorithm="SHA256")
    yield s3
    for page in s3.get_paginator("list_objects").paginate(Bucket=BUCKET):  # a test denies ListObjectsV2
        for item in page.get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def put(s3: Any, name: str, body: bytes, **more: str) -> None:
    """Write an object of the channels."""
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}", Body=body, **more)


def test_the_sha256_that_s3_has_is_compared(aws: Aws, stored: Any) -> None:
    channels = open_channels(aws, ADDRESS)
    assert channels.compared == sorted(channels.prepared.channel_sha256)
    assert f"the SHA-256 of {len(channels.compared)}; " in printed(aws)
    put(stored, PART, b"1 0:1\n", ChecksumAlgorithm="SHA256")
    with pytest.raises(DataError, match=f"{PART} was changed"):
        open_channels(aws, ADDRESS)


def test_a_part_is_empty_only_if_its_record_is(aws: Aws, stored: Any) -> None:
    put(stored, PART, b"")
    with pytest.raises(DataError, match=f"{PART} was changed"):
        open_channels(aws, ADDRESS)


def test_a_changed_validation_channel_is_found_when_it_is_read(aws: Aws, stored: Any) -> None:
    name = "fold-2/validation/part-00000"
    content = stored.get_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}")["Body"].read()
    put(stored, name, content.replace(b"1", b"0", 1))
    channels = open_channels(aws, ADDRESS)
    with pytest.raises(DataError, match=f"{name} was changed"):
        list(channels.validation_rows(2))


def test_a_change_during_training_is_found_at_the_end(aws: Aws, stored: Any) -> None:
    channels = open_channels(aws, ADDRESS)
    channels.check_unchanged()
    put(stored, PART, b"1 0:1\n")
    with pytest.raises(DataError, match="changed during training"):
        channels.check_unchanged()


def test_a_change_gives_jobs_other_names(aws: Aws, stored: Any) -> None:
    before = open_channels(aws, ADDRESS).for_jobs(2)
    assert before == open_channels(aws, ADDRESS).for_jobs(2)
    put(stored, PART, b"1 0:1\n")
    assert open_channels(aws, ADDRESS).for_jobs(2).digest != before.digest


@pytest.mark.usefixtures("stored")
def test_large_channels_get_a_larger_volume(aws: Aws) -> None:
    channels = open_channels(aws, ADDRESS)
    files = channels.files | {PART: replace(channels.files[PART], size_bytes=50_000_000_000)}
    assert channels.for_jobs(1).volume_gb == training_job.VOLUME_GB
    assert S3Channels(channels.folder, channels.prepared, channels.encoder, files).for_jobs(1).volume_gb == 63


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (PREPARED_NAME, "has no prepared.json, so its preparation is not complete"),
        (VOCABULARY_NAME, "has no vocabulary.txt"),
        (NGRAM_TABLE_NAME, "was changed since"),
        (PART, f"lacks 1 files of channels, the first of them {PART}"),
    ],
)
def test_a_missing_object_is_named(aws: Aws, stored: Any, name: str, message: str) -> None:
    stored.delete_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}")
    with pytest.raises(DataError, match=message):
        open_channels(aws, ADDRESS)


def test_an_object_that_is_not_recorded_is_refused(aws: Aws, stored: Any) -> None:
    put(stored, "notes.txt", b"beside the channels")
    open_channels(aws, ADDRESS)
    put(stored, "all/train/part-00009", b"1 0:1\n")
    with pytest.raises(DataError, match="has 1 files that its record lacks, the first of them all/train/part-00009"):
        open_channels(aws, ADDRESS)


def test_an_unreadable_record_is_refused(aws: Aws, stored: Any) -> None:
    put(stored, PREPARED_NAME, json.dumps({"words": 1}).encode())
    with pytest.raises(DataError, match="is not a record of channels"):
        open_channels(aws, ADDRESS)


@pytest.mark.usefixtures("stored")
def test_more_instances_than_parts_are_refused(aws: Aws) -> None:
    open_channels(aws, ADDRESS, 3)
    with pytest.raises(DataError, match=r"3 parts, too few for 4 instances.*--shards 4"):
        open_channels(aws, ADDRESS, 4)


@pytest.mark.usefixtures("stored")
def test_an_address_without_bucket_or_channels_is_refused(aws: Aws) -> None:
    with pytest.raises(AwsError, match="There is no bucket absent-corpus"):
        open_channels(aws, "s3://absent-corpus/x")
    with pytest.raises(DataError, match=f"no prepared channels in s3://{BUCKET}/spark/other"):
        open_channels(aws, f"s3://{BUCKET}/spark/other")


def test_a_bucket_of_another_region_is_refused(aws: Aws, s3: Any) -> None:
    s3.create_bucket(Bucket="far-corpus", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with pytest.raises(AwsError, match="far-corpus is in eu-west-1, and jobs in us-east-1"):
        open_channels(aws, "s3://far-corpus/x")
    s3.delete_bucket(Bucket="far-corpus")


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("operation", ["HeadBucket", "ListObjectsV2", "GetObject"])
def test_missing_permissions_of_the_caller_are_named(simulated: SimulatedAws, aws: Aws, operation: str) -> None:
    simulated.fault_injector.inject(operation, "denied")
    with pytest.raises(AwsError, match=rf"s3:ListBucket on \S+{BUCKET} and s3:GetObject on \S+{FOLDER}/\*") as caught:
        open_channels(aws, ADDRESS)
    assert caught.value.kind == "no-permission"


@pytest.mark.usefixtures("stored")
def test_a_missing_permission_of_the_role_is_named_with_its_remedy(
    simulated: SimulatedAws, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated.fault_injector.inject("ListBucket", "denied")  # for IAM's policy simulation
    with pytest.raises(AwsError, match="s3:ListBucket missing") as caught:
        open_channels(aws, ADDRESS)
    assert f"--role-name {role.role_name(aws.account)} --policy-name verdict-channels" in caught.value.detail
    policy = json.loads(caught.value.detail.partition("--policy-document '")[2].rstrip("'"))
    assert policy["Statement"][1]["Resource"] == [f"arn:aws:s3:::{BUCKET}/{FOLDER}/*"]
    monkeypatch.setenv("VERDICT_ROLE", "arn:aws:iam::123456789012:role/theirs")
    open_channels(aws, ADDRESS)
    assert "Or the bucket's policy allows it" in printed(aws)


@pytest.mark.usefixtures("stored")
def test_a_role_that_cannot_be_checked_is_reported(simulated: SimulatedAws, aws: Aws) -> None:
    simulated.fault_injector.inject("SimulatePrincipalPolicy", "denied")
    open_channels(aws, ADDRESS)
    assert "Not checked, without iam:SimulatePrincipalPolicy" in printed(aws)


def test_commands_that_read_this_machines_disk_refuse_channels_in_s3() -> None:
    for refusing in (command, upload_command):
        ran = CliRunner().invoke(refusing, ["--channels", "s3a://bucket/channels"])
        assert (ran.exit_code, "--on sagemaker" in ran.output) == (2, True)
    assert "has no bucket" in CliRunner().invoke(command, ["--channels", "s3://"]).output


@pytest.mark.usefixtures("stored")
def test_channels_in_s3_are_trained_on_where_they_are(
    aws: Aws, channels_in_parts: Path, tmp_path: Path, started: Callable[[], list[str]]
) -> None:
    """The jobs get shares of the parts, nothing is uploaded, and the run has the same out-of-fold predictions."""
    hyperparameters = with_settings("default", SHORT)
    bucket.ensure(aws)
    uploaded = bucket.keys(aws.account, "channels/")
    run = load_run(train_on_sagemaker(aws, ADDRESS, tmp_path / "s3", hyperparameters, OPTIONS).folder)
    jobs = started()
    sources = [
        {channel["ChannelName"]: channel["DataSource"]["S3DataSource"] for channel in found["InputDataConfig"]}
        for found in (training_job.describe(aws.account, name) for name in jobs)
    ]
    assert sources[0]["train"]["S3Uri"] == f"{ADDRESS}/fold-0/train/"
    assert {source["train"]["S3DataDistributionType"] for source in sources} == {"ShardedByS3Key"}
    assert bucket.keys(aws.account, "channels/") == uploaded
    assert run.record.prepared == LocalChannels.load(channels_in_parts).prepared
    train_on_sagemaker(aws, channels_in_parts, tmp_path / "local", hyperparameters, OPTIONS)
    same = load_run(tmp_path / "local")
    assert (run.model, run.held_out) == (same.model, same.held_out)
    before = len(started())
    train_on_sagemaker(aws, ADDRESS, tmp_path / "s3", hyperparameters, replace(OPTIONS, yes=False))
    assert len(started()) == before
