"""S3 prefixes, manifests and model archives."""

import io
import tarfile

import pytest

from simulator.sagemaker import storage
from simulator.sagemaker.storage import ArchiveError, StorageError, StoredObject, read_archive
from tests.simulator.sagemaker.account import BUCKET, Account, pack


def put_object(account: Account, content: bytes) -> str:
    """Store an object; returns its URL."""
    name = account.new_name()
    account.s3.put_object(Bucket=BUCKET, Key=name, Body=content)
    return f"s3://{BUCKET}/{name}"


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
def test_objects_are_found_by_key_prefix(account: Account, prefix: str, paths: list[str]) -> None:
    for key in ("data/train/a.csv", "data/train/deep/b.csv", "data/train/deep/", "data/train-2/c.csv"):
        account.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    found = storage.find_by_prefix(account.s3, f"s3://{BUCKET}/{prefix}")
    assert sorted(stored.path for stored in found) == paths
    assert [stored.key for stored in found] == sorted(stored.key for stored in found)


def test_absent_bucket_has_no_objects_and_rejects_writes(account: Account) -> None:
    assert storage.find_by_prefix(account.s3, "s3://verdict-absent/a") == []
    with pytest.raises(StorageError, match="NoSuchBucket"):
        storage.write(account.s3, "s3://verdict-absent/a", b"")
    with pytest.raises(StorageError, match="NoSuchKey"):
        storage.read(account.s3, StoredObject(BUCKET, "absent", "absent"))


@pytest.mark.parametrize("content", [b"[]", b"{}", b"no json", b'["a"]', b'[{"prefix": "s3://b/"}, 1]'])
def test_invalid_manifest_is_refused(account: Account, content: bytes) -> None:
    with pytest.raises(StorageError, match="manifest"):
        storage.find_in_manifest(account.s3, put_object(account, content))


def test_archive_gives_visible_files_in_its_root(account: Account) -> None:
    archive = pack({"./a": b"1", "b": b"2", "folder/c": b"3", ".hidden": b"4", "../outside": b"5", "/absolute": b"6"})
    assert read_archive(account.s3, put_object(account, archive)) == {"a": b"1", "b": b"2"}


def test_archive_with_a_link_is_not_extracted(account: Account) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        link = tarfile.TarInfo("xgboost-model")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    with pytest.raises(ArchiveError, match="Failed to extract"):
        read_archive(account.s3, put_object(account, content.getvalue()))


def test_truncated_archive_is_not_extracted(account: Account) -> None:
    archive = pack({"xgboost-model": bytes(range(256)) * 1000})
    with pytest.raises(ArchiveError, match="Failed to extract"):
        read_archive(account.s3, put_object(account, archive[: len(archive) // 2]))


@pytest.mark.parametrize("bucket", [BUCKET, "verdict-no-such-bucket"])
def test_absent_archive_cannot_be_downloaded(account: Account, bucket: str) -> None:
    with pytest.raises(ArchiveError, match=f'"s3://{bucket}/absent"'):
        read_archive(account.s3, f"s3://{bucket}/absent")
