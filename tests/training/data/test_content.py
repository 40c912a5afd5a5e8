"""Compressed files: the content of the file itself, or an error that names the fault and the remedy."""

import gzip
import io
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from training.data import content, tables
from training.data.collect import collect
from training.data.content import format_ending, limited_lines, open_content
from training.data.labelled import read_labelled
from training.data.review_rows import read_review_rows
from training.data.reviews import DataError
from training.prediction.review_files import open_reviews
from training.project import ROOT

CASES = ROOT / "tests" / "cases" / "files"
TABLE = b"review,label\nA good film,1\nA bad film,0\n" + b"".join(b"Film %d,1\n" % n for n in range(9_000))
PACKED = gzip.compress(TABLE, mtime=0)
READERS: dict[str, Callable[[Path], Iterable[object]]] = {
    "labelled": read_labelled,
    "reviews": read_review_rows,
    "to judge": lambda path: open_reviews(path).rows(lambda _: None),
}
each_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


@pytest.mark.parametrize("name", ["imdb-kaggle.csv", "letterboxd.csv", "amazon.jsonl"])
def test_a_compressed_table_has_the_fingerprint_of_the_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress((CASES / name).read_bytes()))
    plain, compressed = collect(CASES / name, tmp_path / "plain"), collect(path, tmp_path / "compressed")
    assert compressed.fingerprint == plain.fingerprint
    assert compressed.source == path.name


@each_reader
def test_members_that_follow_each_other_are_one_file(tmp_path: Path, read: Callable[[Path], Iterable[object]]) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE)
    (tmp_path / "b.CSV.GZ").write_bytes(gzip.compress(TABLE[:5_000]) + gzip.compress(TABLE[5_000:]))
    assert list(read(tmp_path / "b.CSV.GZ")) == list(read(tmp_path / "a.csv"))


def _damaged(packed: bytes) -> bytes:
    return packed[:-8] + bytes(each ^ 1 for each in packed[-8:])


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("a.csv.gz", PACKED[:-9], "cut short: .* Copy or download it again"),
        ("a.csv.gz", PACKED[:5], "cut short"),
        ("a.csv.gz", _damaged(PACKED), r"damaged: .*\(CRC check failed.*\). Copy or download it again"),
        ("a.csv.gz", PACKED[:40] + bytes(90) + PACKED[130:], "damaged"),
        ("a.csv.gz", PACKED + b"more", "damaged"),
        ("a.csv.gz", TABLE, "not compressed with gzip, although .* Rename it to a.csv if it is not"),
        ("a.csv.gz", b"", "not compressed with gzip"),
        ("a.csv", PACKED, "compressed with gzip, but its name does not say so. Rename it: a.csv.gz"),
        ("a.foo.gz", PACKED, r"is not a .csv, .tsv, .jsonl or .txt file, .* \(.csv.gz\)"),
    ],
    ids=["cut", "header only", "checksum", "data", "trailing bytes", "plain", "empty", "plain name", "unknown format"],
)
@each_reader
def test_a_damaged_or_misnamed_file_is_refused_with_what_to_do(
    tmp_path: Path, read: Callable[[Path], Iterable[object]], name: str, written: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(written)
    with pytest.raises(DataError, match=message):
        list(read(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "begin", "unit"),
    [
        ("a.csv.gz", b"review,label\ngood,1\n", b"a"),
        ("a.csv.gz", b"review,label\ngood,1\n", b'"a\n",'),
        ("a.csv.gz", b'review,label\ngood,1\n"', b"a\n"),
        ("a.jsonl.gz", b'{"review": "good", "label": 1}\n{"review": "', b"a"),
        ("a.txt.gz", b"review\tlabel\n", b"a"),
    ],
    ids=["one line", "one row", "one cell", "JSON", "text"],
)
def test_a_file_that_expands_enormously_is_refused_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, begin: bytes, unit: bytes
) -> None:
    for module in (content, tables):
        monkeypatch.setattr(module, "MAX_LINE_CHARACTERS", 200_000)
    monkeypatch.setattr(tables, "MAX_FIELD_CHARACTERS", 150_000)
    path = tmp_path / name
    with gzip.open(path, "wb") as file:
        file.write(begin)
        for _ in range(300):
            file.write(unit * (100_000 // len(unit)))
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"more than 200,000 characters|field larger than field limit"):
            list(read_labelled(path))
        assert tracemalloc.get_traced_memory()[1] < 12_000_000  # of 30 MB
    finally:
        tracemalloc.stop()


def test_a_long_line_is_left_out_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_LINE_CHARACTERS", 5)
    file = io.StringIO("1234\n12345\n123456\n\n12345678", newline="")
    assert list(limited_lines(file)) == ["1234\n", None, None, "\n", None]


def test_the_format_is_that_of_the_name_without_gz() -> None:
    names = ("a.csv", "A.CSV.GZ", "a.b.jsonl.gz", "a.tar.gz", "a.gz", "a")
    assert [format_ending(Path(name)) for name in names] == [".csv", ".csv", ".jsonl", ".tar", "", ""]


def test_the_position_is_that_of_the_compressed_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TABLE))
    with open_content(tmp_path / "a.txt.gz") as file:
        assert file.read() == TABLE
        assert file.position == (tmp_path / "a.txt.gz").stat().st_size < len(TABLE)
