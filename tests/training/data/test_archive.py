import gzip
import io
import tarfile
from pathlib import Path

import pytest

from training.data.archive import read_archive, read_folder
from training.data.reviews import DataError, Review, UnlabelledReview


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


TITLE = b"http://www.imdb.com/title/tt%07d/usercomments\n"
WITH_MOVIES = (
    ("aclImdb/train/urls_pos.txt", TITLE % 1 + TITLE % 2),
    ("aclImdb/train/urls_neg.txt", TITLE % 3),
    ("aclImdb/train/urls_unsup.txt", TITLE % 4),
    ("aclImdb/train/pos/1_9.txt", b"good"),
    ("aclImdb/train/neg/0_2.txt", b"bad"),
    ("aclImdb/train/unsup/0_0.txt", b"so"),
)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_long_header_is_refused_before_it_is_read(tmp_path: Path, kind: bytes) -> None:
    """The archive ends after the header, so reading it would raise another error."""
    header = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
    header.type, header.size = kind, 1_500_000_000
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))
    with pytest.raises(DataError, match="a header has 1,500,000,000 bytes"):
        read_archive(tmp_path / "a.tar.gz")


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    old = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
    old.type = tarfile.GNUTYPE_SPARSE
    with pytest.raises(DataError, match="sparse"):
        read_archive(archive_of(tmp_path / "old.tar.gz", old))
    new = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
    new.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    with pytest.raises(DataError, match="sparse"):
        read_archive(archive_of(tmp_path / "new.tar.gz", new))


def test_names_of_usual_length_in_long_headers_are_read(tmp_path: Path) -> None:
    name = f"{'a' * 150}/aclImdb/train/pos/17_10.txt"
    assert [review.id for review in read_archive(archive_of(tmp_path / "a.tar.gz", (name, b"good"))).reviews] == [
        "train/pos/17"
    ]


@pytest.mark.parametrize("members", [WITH_MOVIES, WITH_MOVIES[::-1]], ids=["lists first", "lists last"])
def test_movies_are_joined_to_reviews_in_any_order_of_the_archive(
    tmp_path: Path, members: tuple[tuple[str, bytes], ...]
) -> None:
    contents = read_archive(archive_of(tmp_path / "a.tar.gz", *members))
    assert {review.id: review.movie for review in contents.reviews} == {
        "train/pos/1": "tt0000002",
        "train/neg/0": "tt0000003",
    }
    assert contents.unlabelled == [UnlabelledReview(0, "tt0000004", "so")]


def test_a_folder_has_the_same_contents_as_its_archive(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar.gz", *WITH_MOVIES)
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    found, expected = read_folder(tmp_path / "unpacked"), read_archive(path)
    assert sorted(found.reviews, key=str) == sorted(expected.reviews, key=str)
    assert found.unlabelled == expected.unlabelled


def test_unlabelled_reviews_are_read_without_movies(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar.gz", ("aclImdb/train/unsup/7_0.txt", b"so"))
    assert read_archive(path).unlabelled == [UnlabelledReview(7, None, "so")]


def test_an_unlabelled_review_with_a_rating_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"<number>_<0>\.txt"):
        read_archive(archive_of(tmp_path / "a.tar.gz", ("aclImdb/train/unsup/7_3.txt", b"so")))


def test_a_list_that_is_too_short_or_invalid_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with pytest.raises(DataError, match=r"train/urls_pos.txt has 1 lines, but there is a review 1"):
        read_archive(archive_of(path, ("train/urls_pos.txt", TITLE % 1), *WITH_MOVIES[1:]))
    with pytest.raises(DataError, match=r"urls_pos.txt', line 2 is not the address of a movie: 'x'"):
        read_archive(archive_of(path, ("train/urls_pos.txt", TITLE % 1 + b"x\n"), *WITH_MOVIES[1:]))
    with pytest.raises(DataError, match=r"train has only one of urls_pos\.txt and urls_neg.txt"):
        read_archive(archive_of(path, *WITH_MOVIES[1:]))
