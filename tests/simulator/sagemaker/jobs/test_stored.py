"""Objects below a prefix, and their paths on a machine."""

import pytest

from simulator.sagemaker.jobs import stored
from simulator.sagemaker.jobs.stored import StorageError
from tests.simulator.sagemaker.account import BUCKET, Account


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("data/train/", ["a.csv", "deep/b.csv"]),
        ("data/train", ["a.csv", "deep/b.csv", "train-2/c.csv"]),
        ("data/train/a.csv", ["a.csv"]),
        ("data/tr", ["train-2/c.csv", "train/a.csv", "train/deep/b.csv"]),
        ("nothing", []),
    ],
)
def test_objects_are_found_by_the_beginning_of_their_keys(account: Account, prefix: str, paths: list[str]) -> None:
    for key in ("data/train/a.csv", "data/train/deep/b.csv", "data/train/deep/", "data/train-2/c.csv"):
        account.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    found = stored.find(account.s3, f"s3://{BUCKET}/{prefix}")
    assert sorted(one.path for one in found) == paths
    assert [one.key for one in found] == sorted(one.key for one in found)


def test_a_bucket_that_is_not_there_holds_nothing_and_takes_nothing(account: Account) -> None:
    assert stored.find(account.s3, "s3://verdict-absent/a") == []
    with pytest.raises(StorageError, match="NoSuchBucket"):
        stored.write(account.s3, "s3://verdict-absent/a", b"")
    with pytest.raises(StorageError, match="NoSuchKey"):
        stored.read(account.s3, BUCKET, "absent")


@pytest.mark.parametrize("content", [b"[]", b"{}", b"no json", b'["a"]', b'[{"prefix": "s3://b/"}, 1]'])
def test_what_is_no_manifest_is_refused(account: Account, content: bytes) -> None:
    account.s3.put_object(Bucket=BUCKET, Key="wrong.manifest", Body=content)
    with pytest.raises(StorageError, match="is no manifest"):
        stored.in_manifest(account.s3, f"s3://{BUCKET}/wrong.manifest")
