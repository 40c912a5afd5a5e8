"""The content of a file that may be compressed with gzip: its bytes, encoding, text and lines of limited length.

A file is compressed if its name ends in `.gz`. It is decompressed as it is read, so that memory does not grow with the
file, whatever it expands to.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO, Any

from training.data.reviews import DataError

GZIP_ENDING = ".gz"
MAX_LINE_CHARACTERS = 20_000_000
_MAGIC = b"\x1f\x8b"
_BUFFER_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20


class Content(io.BufferedReader):
    """The decompressed bytes of a file; reading raises `DataError` if the compressed ones are damaged or incomplete."""

    def __init__(self, raw: io.RawIOBase, file: io.FileIO) -> None:
        super().__init__(raw, _BUFFER_BYTES)
        self._file = file

    @property
    def position(self) -> int:
        """The number of bytes of the file itself that are read."""
        return self._file.tell()


class _Decompressed(io.RawIOBase):
    """The decompressed bytes of a gzip file of one or more members."""

    def __init__(self, path: Path, file: io.FileIO) -> None:
        self._path = path
        self._file = file
        self._stream = gzip.GzipFile(fileobj=file, mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, partly if less is at hand; returns the number of bytes."""
        try:
            content = self._stream.read1(len(buffer))
        except EOFError as error:
            raise DataError(
                f"{self._path} is cut short: its compressed data ends too early. Copy or download it again."
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{self._path} is damaged: it cannot be decompressed ({error}). Copy or download it again."
            ) from error
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def is_compressed(path: PurePath) -> bool:
    """Return whether a file's name is that of a compressed file."""
    return path.suffix.lower() == GZIP_ENDING


def uncompressed_name(path: PurePath) -> str:
    """Return a file's name without `.gz`."""
    return path.stem if is_compressed(path) else path.name


def format_ending(path: PurePath) -> str:
    """Return the ending of a file's name that states its format, in lower case: `.csv` for `A.CSV` and `a.csv.gz`."""
    return PurePath(uncompressed_name(path)).suffix.lower()


def open_content(path: Path) -> Content:
    """Open a file to read its decompressed bytes; raises `DataError` if its name and its first bytes disagree."""
    file = io.FileIO(path)
    try:
        is_gzip = file.read(len(_MAGIC)) == _MAGIC
        file.seek(0)
        if is_gzip and not is_compressed(path):
            raise DataError(f"{path} is compressed with gzip, but its name does not say so. Rename it: {path.name}.gz")
        if is_compressed(path) and not is_gzip:
            raise DataError(
                f"{path} is not compressed with gzip, although its name ends in .gz. Rename it to {path.stem} if it is "
                "not compressed. Otherwise, copy or download it again."
            )
    except BaseException:
        file.close()
        raise
    return Content(_Decompressed(path, file) if is_gzip else file, file)


def open_text(path: Path, encoding: str, newline: str | None = None) -> IO[str]:
    """Open a file to read its decompressed text; `newline` is that of `open`. Raises `DataError` as `open_content`."""
    return io.TextIOWrapper(open_content(path), encoding=encoding, newline=newline)


def detect_encoding(path: Path) -> str:
    """Return UTF-16 by the byte order mark or the zeros, UTF-8 if all of the file is, or else Windows-1252.

    Raises `DataError` if the file is none of them, or cannot be decompressed.
    """
    encoding = next((each for each in _encodings(path) if _is_encoded(path, each)), None)
    if encoding is None:
        raise DataError(f"{path} is not text in UTF-8, UTF-16 or Windows-1252. Save it as UTF-8.")
    return encoding


def _encodings(path: Path) -> tuple[str, ...]:
    """Return the encodings that a file may have, by its first bytes, the likeliest first."""
    with open_content(path) as file:
        start = file.read(1024)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    least = max(len(start) / 4, 4)
    even, odd = start[::2].count(0), start[1::2].count(0)
    if (odd > least and not even) or (even > least and not odd):
        return ("utf-16-le" if odd else "utf-16-be",)
    return ("utf-8-sig", "cp1252")


def _is_encoded(path: Path, encoding: str) -> bool:
    """Return whether all of a file can be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_content(path) as file:
            for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def limited_lines(file: IO[str]) -> Iterator[str | None]:
    """Yield the lines of a file; None for one that is too long, which is never in memory as a whole."""
    while line := file.readline(MAX_LINE_CHARACTERS + 1):
        if len(line) <= MAX_LINE_CHARACTERS:
            yield line
            continue
        yield None
        while line and not line.endswith(("\n", "\r")):
            line = file.readline(_BUFFER_BYTES)


def too_long(line: int) -> str:
    """Return the error of a line that is too long."""
    return f"Line {line} has more than {MAX_LINE_CHARACTERS:,} characters."
