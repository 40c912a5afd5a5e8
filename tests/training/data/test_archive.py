import gzip
import io
import tarfile
from pathlib import Path

import pytest

from training.data.archive import read_archive, read_folder
from training.data.reviews import DataError, Review


def archive_of(path: Path, *members: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    """Write a .tar.gz of (name, content) files, or of TarInfo members without content."""
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def test_a_review_is_read_with_its_number_label_and_rating(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar.gz", ("aclImdb/train/pos/17_10.txt", "Très <br />bon".encode()))
    assert read_archive(path).reviews == [Review("train", 17, 1, 10, "Très <br />bon")]


def test_members_that_are_not_labelled_reviews_are_skipped(tmp_path: Path) -> None:
    path = archive_of(
        tmp_path / "a.tar.gz",
        ("aclImdb/README", b"read me"),
        ("aclImdb/test/unsup/0_0.txt", b"unlabelled"),
        ("aclImdb/train/labeledBow.feat", b"9 0:9"),
        ("aclImdb/train/pos/._0_9.txt", b"\x00\x05\x16\x07"),
        ("aclImdb/test/neg/3_1.txt", b"bad"),
    )
    assert [review.id for review in read_archive(path).reviews] == ["test/neg/3"]


@pytest.mark.parametrize("name", ["../evil/train/pos/0_9.txt", "/etc/train/pos/0_9.txt", "a\\..\\train/pos/0_9.txt"])
def test_a_path_outside_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="unsafe"):
        read_archive(archive_of(tmp_path / "a.tar.gz", (name, b"x")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(DataError, match="unsafe"):
        read_archive(archive_of(tmp_path / "a.tar.gz", member))


def test_an_incomplete_archive_is_refused(tmp_path: Path, small_archive: Path) -> None:
    whole = small_archive.read_bytes()
    for kept in (10, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(whole[:kept])
        with pytest.raises(DataError, match="not a complete"):
            read_archive(cut)


def test_a_wrong_checksum_is_detected(tmp_path: Path, small_archive: Path) -> None:
    damaged = bytearray(small_archive.read_bytes())
    damaged[-8] ^= 1  # the CRC-32 is in the last eight bytes
    (tmp_path / "damaged.tar.gz").write_bytes(damaged)
    with pytest.raises(DataError, match="CRC"):
        read_archive(tmp_path / "damaged.tar.gz")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", gzip.compress(b"no tar" * 1000, mtime=0)])
def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a complete"):
        read_archive(path)


def test_the_error_names_a_review_that_is_not_utf8(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar.gz", ("aclImdb/train/pos/0_9.txt", b"tr\xe8s bon"))
    with pytest.raises(DataError, match=r"train/pos/0_9.txt' is not UTF-8"):
        read_archive(path)


@pytest.mark.parametrize("name", ["0.txt", "0_11.txt", "x_9.txt", "0_0.txt", "0_9.html"])
def test_a_review_with_an_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "train" / "pos"
    folder.mkdir(parents=True)
    (folder / name).write_text("good")
    with pytest.raises(DataError, match="should be named"):
        read_folder(tmp_path)


def test_a_member_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar.gz", ("aclImdb/train/pos/0_9.txt", b"a" * 1_000_001))
    with pytest.raises(DataError, match="1,000,001 bytes"):
        read_archive(path)
