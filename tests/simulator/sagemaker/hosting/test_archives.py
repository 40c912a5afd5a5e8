import io
import tarfile

import pytest

from simulator.sagemaker.hosting.archives import ArchiveError, files_in_root
from tests.simulator.sagemaker.account import BUCKET, Account, packed


def put(account: Account, content: bytes) -> str:
    name = account.new_name()
    account.s3.put_object(Bucket=BUCKET, Key=name, Body=content)
    return f"s3://{BUCKET}/{name}"


def test_the_plain_files_of_the_root_are_read(account: Account) -> None:
    archive = packed({"./a": b"1", "b": b"2", "folder/c": b"3", ".hidden": b"4", "../outside": b"5", "/absolute": b"6"})
    assert files_in_root(account.s3, put(account, archive)) == {"a": b"1", "b": b"2"}


def test_an_archive_with_a_link_is_not_extracted(account: Account) -> None:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        link = tarfile.TarInfo("xgboost-model")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    with pytest.raises(ArchiveError, match="Failed to extract"):
        files_in_root(account.s3, put(account, written.getvalue()))


def test_an_archive_that_is_cut_short_is_not_extracted(account: Account) -> None:
    archive = packed({"xgboost-model": bytes(range(256)) * 1000})
    with pytest.raises(ArchiveError, match="Failed to extract"):
        files_in_root(account.s3, put(account, archive[: len(archive) // 2]))


@pytest.mark.parametrize("bucket", [BUCKET, "verdict-no-such-bucket"])
def test_an_object_that_is_not_there_cannot_be_downloaded(account: Account, bucket: str) -> None:
    with pytest.raises(ArchiveError, match=f'"s3://{bucket}/absent"'):
        files_in_root(account.s3, f"s3://{bucket}/absent")
