"""Generated files: a reader returns rows, or raises the error that names what is wrong with the file.

Tables and JSON lines go into the readers of labelled reviews, of reviews to check and of reviews to judge; archives
into the reader of the official archive.
"""

import io
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from training.data.archive import read_archive
from training.data.labelled import read_labelled
from training.data.review_rows import read_review_rows
from training.data.reviews import DataError
from training.prediction.review_files import open_reviews

ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".json", ".ndjson")
PIECES = (
    *(
        "review",
        "label",
        "sentiment",
        "text",
        "rating",
        "good film",
        "bad",
        "positive",
        "negative",
        "0",
        "1",
        "4.5",
        "-1",
    ),
    *(
        ",",
        ",",
        ",",
        "\t",
        ";",
        "|",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        '"',
        '"',
        '""',
        "\\",
        "\\n",
        "'",
        " ",
        "\x00",
        "é",
    ),
    *('{"review": "good", "label": 1}\n', "{", "}", "[", "]", ":", "null", "1e999", '"\\ud800"', "\N{BYTE ORDER MARK}"),
)
ENCODINGS = ("utf-8", "utf-16", "cp1252", "utf-8-sig")
MEMBERS = (
    *(
        "aclImdb/train/pos/0_9.txt",
        "aclImdb/train/neg/0_1.txt",
        "aclImdb/test/pos/1_10.txt",
        "aclImdb/train/unsup/0_0.txt",
    ),
    *(
        "aclImdb/train/urls_pos.txt",
        "aclImdb/train/pos/x.txt",
        "train/pos/0_9.txt",
        "../evil.txt",
        "/etc/passwd",
        "a\\b",
    ),
    *("aclImdb/train/pos/99999999999999999999_9.txt", "aclImdb/train/pos/.hidden", "aclImdb"),
)


def tables() -> SearchStrategy[tuple[str, bytes]]:
    """Return file endings with the content of a file."""
    joined = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40).map("".join)
    encoded = st.tuples(joined, st.sampled_from(ENCODINGS)).map(lambda each: each[0].encode(each[1], errors="replace"))
    return st.tuples(st.sampled_from(ENDINGS), encoded | st.binary(max_size=120))


def archives() -> SearchStrategy[bytes]:
    """Return archives."""
    return _archive()


@st.composite
def _archive(draw: Any) -> bytes:
    """Generate a .tar.gz, which may be damaged."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in draw(st.lists(st.sampled_from(MEMBERS) | st.text(min_size=1, max_size=20), max_size=4)):
            content = draw(st.binary(max_size=40) | st.just(b"http://www.imdb.com/title/tt0406816/usercomments\n"))
            member = tarfile.TarInfo(name.replace("\x00", "").encode(errors="replace").decode() or "a")
            member.type = draw(
                st.sampled_from([tarfile.REGTYPE] * 6 + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE])
            )
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    content = file.getvalue()
    cut = draw(st.integers(0, len(content))) if draw(st.booleans()) else len(content)
    return bytes(content[:cut] + draw(st.just(b"") | st.binary(max_size=8)))


def check_table(example: tuple[str, bytes]) -> None:
    """Raise an exception other than `DataError` if a reader does."""
    ending, content = example
    readers: tuple[Callable[[Path], Iterable[object]], ...] = (
        read_labelled,
        read_review_rows,
        lambda path: open_reviews(path).rows(lambda _: None),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"reviews{ending}"
        path.write_bytes(content)
        for read in readers:
            with suppress(DataError):
                list(read(path))


def check_archive(content: bytes) -> None:
    """Raise an exception other than `DataError` if the reader does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.tar.gz"
        path.write_bytes(content)
        with suppress(DataError):
            read_archive(path)
