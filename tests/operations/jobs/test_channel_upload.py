"""Prepared channels, uploaded to the simulated S3."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.aws.upload import command
from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.plan import DeclinedError
from operations.jobs.channel_upload import PAIRS, planned, upload_channels
from simulator.aws import SimulatedAws
from training.data.reviews import DataError
from training.features.channels import PREPARED_NAME, channel_names


@pytest.fixture(autouse=True)
def empty(simulated: SimulatedAws) -> None:
    """Start each test without a bucket."""
    s3 = simulated.client("s3")
    for found in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=found["Name"]):
            for stored in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                s3.delete_object(Bucket=found["Name"], Key=stored["Key"], VersionId=stored["VersionId"])
        s3.delete_bucket(Bucket=found["Name"])


def test_every_channel_is_uploaded_to_its_address(aws: Aws, small_channels: Path) -> None:
    uploaded = upload_channels(aws, small_channels)
    for pair in PAIRS:
        content = bucket.fetch(aws.account, f"{uploaded.train(pair)}train.libsvm")
        assert content == (small_channels / pair / "train" / "train.libsvm").read_bytes()
    content = bucket.fetch(aws.account, f"{uploaded.validation('fold-3')}validation.libsvm")
    assert content == (small_channels / "fold-3" / "validation" / "validation.libsvm").read_bytes()
    facts = json.loads(bucket.fetch(aws.account, f"{uploaded.prefix}/{PREPARED_NAME}"))
    assert facts == json.loads((small_channels / PREPARED_NAME).read_text())
    assert uploaded.prefix.endswith(f"/verdict/channels/{uploaded.digest}")


def test_a_second_upload_sends_nothing(aws: Aws, small_channels: Path) -> None:
    first = upload_channels(aws, small_channels)
    assert (set(first.sent), first.kept) == ({*channel_names(), PREPARED_NAME}, ())
    again = upload_channels(aws, small_channels)
    assert (again.sent, set(again.kept), again.digest) == ((), set(first.sent), first.digest)


def test_an_interrupted_upload_sends_only_what_is_missing(
    simulated: SimulatedAws, aws: Aws, small_channels: Path
) -> None:
    whole = upload_channels(aws, small_channels)
    key = bucket.keys(aws.account, "channels/")[0]
    simulated.client("s3").delete_object(Bucket=bucket.bucket_name(aws.account), Key=f"{bucket.PREFIX}/{key}")
    assert upload_channels(aws, small_channels).sent == (key.removeprefix(f"channels/{whole.digest}/"),)


def test_only_the_requested_pairs_are_sent(aws: Aws, small_channels: Path) -> None:
    assert upload_channels(aws, small_channels, pairs=("all",)).sent == ("all/train/train.libsvm", PREPARED_NAME)


def test_parts_hold_every_line_once_and_are_equally_wide(aws: Aws, small_channels: Path) -> None:
    uploaded = upload_channels(aws, small_channels, shards=3, pairs=("all",))
    folder = uploaded.train("all", sharded=True)
    assert folder.endswith("/all/train-of-3/")
    parts = [bucket.fetch(aws.account, f"{folder}part-{number:03d}.libsvm").splitlines() for number in range(3)]
    whole = (small_channels / "all" / "train" / "train.libsvm").read_bytes().splitlines()
    assert sorted(line for part in parts for line in part) == sorted(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert len({line.split()[-1] for line in whole}) == 1  # the constant of the last column
    assert all({line[:1] for line in part} == {b"0", b"1"} for part in parts)


def test_parts_from_spark_are_uploaded_as_they_are(aws: Aws, channels_in_parts: Path) -> None:
    uploaded = upload_channels(aws, channels_in_parts, shards=2, pairs=("all",))
    assert uploaded.train("all", sharded=True) == uploaded.train("all")
    assert uploaded.sent == (*(f"all/train/part-0000{index}" for index in range(3)), PREPARED_NAME)
    assert planned(aws.account, channels_in_parts, shards=2, pairs=("all",)) == []


def test_too_few_parts_from_spark_are_divided_again(aws: Aws, channels_in_parts: Path, small_channels: Path) -> None:
    uploaded = upload_channels(aws, channels_in_parts, shards=4, pairs=("all",))
    folder = uploaded.train("all", sharded=True)
    parts = [bucket.fetch(aws.account, f"{folder}part-{number:03d}.libsvm").splitlines() for number in range(4)]
    whole = (small_channels / "all" / "train" / "train.libsvm").read_bytes().splitlines()
    assert sorted(line for part in parts for line in part) == sorted(whole)


def test_without_shards_there_is_one_train_folder(aws: Aws, small_channels: Path) -> None:
    uploaded = upload_channels(aws, small_channels, pairs=("all",))
    assert uploaded.train("all", sharded=True) == uploaded.train("all")


def test_progress_counts_every_byte(aws: Aws, small_channels: Path) -> None:
    ticks: list[tuple[int, int]] = []
    upload_channels(aws, small_channels, tick=lambda done, total, _="": ticks.append((done, total)))
    files = [*channel_names(), PREPARED_NAME]
    assert ticks == sorted(ticks)
    assert ticks[-1] == (sum((small_channels / name).stat().st_size for name in files),) * 2


def test_changed_channels_are_not_sent(aws: Aws, small_channels: Path, tmp_path: Path) -> None:
    shutil.copytree(small_channels, tmp_path / "channels")
    with (tmp_path / "channels" / "all" / "train" / "train.libsvm").open("ab") as file:
        file.write(b"1 0:1\n")
    with pytest.raises(DataError):
        upload_channels(aws, tmp_path / "channels")
    assert not bucket.exists(aws.account)


def test_the_plan_names_bucket_and_channels_until_they_exist(aws: Aws, small_channels: Path) -> None:
    assert [item.kind.partition(",")[0] for item in planned(aws.account, small_channels)] == ["bucket", "channels"]
    upload_channels(aws, small_channels)
    assert planned(aws.account, small_channels) == []
    assert [item.is_billed for item in planned(aws.account, small_channels, shards=2)] == [True]


def test_the_command_confirms_and_then_lists_the_files(
    simulated: SimulatedAws, small_channels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)
    arguments = ["--channels", str(small_channels)]
    assert isinstance(CliRunner().invoke(command, arguments).exception, DeclinedError)
    assert simulated.client("s3").list_buckets()["Buckets"] == []
    sent = CliRunner().invoke(command, [*arguments, "--yes"])
    assert (sent.exit_code, sent.output.count(" uploaded ")) == (0, len(channel_names()) + 1)
    again = CliRunner().invoke(command, arguments)
    assert (again.exit_code, again.output.count(" already there ")) == (0, len(channel_names()) + 1)
