import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from benchmarks.snippets import INNER_ARCHIVE, LARGEST_BYTES, SHA256, SNIPPETS, Snippets, parse, read, summary
from training.data.reviews import DataError

LINES = "1\t2.26\tA ''gem''; go.\r\n2\t-0.6\tToo tepid\r\n3\t0.0\tIt has a plot\r\n4\t-1.8125\tIn this case zero."


def archive(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a .tar.gz with one member."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as members:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, len(content), "elsewhere"
        members.addfile(member, io.BytesIO(content))
    return written.getvalue()


def read_back(folder: Path, content: bytes) -> Snippets:
    """Write a source distribution and read it with its own checksum."""
    sdist = folder / "sdist.tar.gz"
    sdist.write_bytes(content)
    return read(sdist, hashlib.sha256(content).hexdigest())


def test_snippets_are_read_from_the_inner_archive(tmp_path: Path) -> None:
    found = read_back(tmp_path, archive(INNER_ARCHIVE, archive(SNIPPETS, LINES.encode())))
    assert found.texts == ["A ''gem''; go.", "Too tepid", "In this case zero."]
    assert found.labels.tolist() == [1, 0, 0]
    assert found.undecided == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sdist.tar.gz"]


@pytest.mark.parametrize("line", ["no tab", "1\tgood\ttext", "1\t2.5\t ", "1\tnan\ttext", "x\t1.0\ttext", ""])
def test_a_malformed_line_is_reported_by_number(line: str) -> None:
    with pytest.raises(DataError, match="Line 2 of"):
        parse(f"1\t1.5\tfine\n{line}\n3\t1\tfine\n".encode())


def test_a_file_with_another_checksum_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    other.write_bytes(archive(INNER_ARCHIVE, b""))
    with pytest.raises(DataError, match=rf"not with {SHA256[:12]}.*pip download .*vaderSentiment==3.3.2"):
        read(other)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.tar.gz"
    with large.open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    with pytest.raises(DataError, match="too many"):
        read(large)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive", "is damaged or no .tar.gz"),
        (archive(INNER_ARCHIVE, archive(SNIPPETS, LINES.encode()))[:90], "is damaged or no .tar.gz"),
        (archive("elsewhere.txt", b""), f"The archive has no {INNER_ARCHIVE}"),
        (archive(INNER_ARCHIVE, archive("elsewhere.txt", b"")), f"The archive has no {SNIPPETS}"),
        (archive(INNER_ARCHIVE, archive(SNIPPETS, b"", tarfile.SYMTYPE)), "is not a regular file"),
        (archive(INNER_ARCHIVE, archive(SNIPPETS, b"", tarfile.DIRTYPE)), "is not a regular file"),
        (archive(INNER_ARCHIVE, archive(SNIPPETS, bytes(LARGEST_BYTES + 1))), "is not a regular file of at most"),
    ],
    ids=["no archive", "cut", "no inner archive", "no snippets", "link", "folder", "too large"],
)
def test_an_archive_without_the_snippets_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_back(tmp_path, content)


def test_a_damaged_inner_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is damaged"):
        read_back(tmp_path, archive(INNER_ARCHIVE, gzip.compress(b"torn")[:-4]))


def test_the_summary_has_the_number_of_snippets_or_how_to_get_them() -> None:
    assert summary(parse(LINES.encode())) == "Another site: 3 sentences; 1 left out, whose mean rating is 0."
    assert "--snippets vaderSentiment-3.3.2.tar.gz" in summary(None)
