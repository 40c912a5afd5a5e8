"""The output of judged rows, to standard output or to a file that a stopped command resumes.

A file is written as `.NAME.part`, beside `.NAME.resume`, which has the number of bytes and rows that are complete and
what was requested. The same request cuts the file there, and continues; the end renames it to NAME. Text formats, which
may be compressed with gzip, are here; Parquet is in `parquet_format`.
"""

import csv
import gzip
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from training import atomic
from training.data.content import format_ending, is_compressed, uncompressed_name
from training.data.reviews import DataError
from training.prediction.judge import ADDED, EXPLAINED, JudgedRow, as_text
from training.prediction.parquet_format import parquet_format
from training.prediction.review_files import PARQUET_ENDING, ReviewFile

SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = ".jsonl"
FORMATS = (*SEPARATORS, JSON_LINES, PARQUET_ENDING)
_USE_PREFIX = "Choose a prefix for the added columns, such as `--prefix new_`."


class Format(Protocol):
    """How judged rows are written, in parts that can be appended."""

    @property
    def added(self) -> tuple[str, ...]:
        """The names of the added columns, without the prefix."""

    @property
    def prefix(self) -> str:
        """The prefix of the names of the added columns."""

    @property
    def header(self) -> bytes:
        """What comes before the first row."""

    def encode(self, judged: Sequence[JudgedRow]) -> bytes:
        """Return judged rows as bytes to append."""

    def finish(self, part: Path, path: Path) -> None:
        """Turn a complete `part` into the file at `path`."""


@dataclass(frozen=True)
class TextFormat:
    """Lines of judged rows: the separator (None: JSON lines), and the names of the kept and added columns."""

    separator: str | None
    names: tuple[str, ...]
    added: tuple[str, ...]
    prefix: str = ""  # of the added columns
    nested: bool = False  # the only cell of a row is its JSON object

    @property
    def header(self) -> bytes:
        """The first line; empty for JSON lines."""
        return b"" if self.separator is None else self._line([*self.names, *self._added_names])

    @property
    def _added_names(self) -> list[str]:
        return [self.prefix + name for name in self.added]

    def encode(self, judged: Sequence[JudgedRow]) -> bytes:
        """Return the lines of judged rows."""
        return b"".join(map(self._dump, judged))

    def finish(self, part: Path, path: Path) -> None:
        """Rename a complete file."""
        part.rename(path)

    def _dump(self, judged: JudgedRow) -> bytes:
        """Return the line of a judged row."""
        values = judged.added(EXPLAINED[0] in self.added)
        if self.separator is not None:
            return self._line([*map(_cell, judged.row.cells), *(as_text(values[name]) for name in self.added)])
        kept = judged.row.cells[0] if self.nested else dict(zip(self.names, judged.row.cells, strict=True))
        if taken := [name for name in self._added_names if name in kept]:
            raise DataError(f"A row already has a value {taken[0]}. {_USE_PREFIX}")
        return self._object(kept | {self.prefix + name: values[name] for name in self.added})

    def _line(self, cells: Sequence[str]) -> bytes:
        """Return a line of a table."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator or ",", lineterminator="\n").writerow(cells)
        return text.getvalue().encode(errors="backslashreplace")

    def _object(self, values: dict[str, Any]) -> bytes:
        """Return a line of JSON; half a surrogate pair, which UTF-8 cannot encode, stays an escape."""
        try:
            return json.dumps(values, ensure_ascii=False, default=str).encode() + b"\n"
        except UnicodeEncodeError:
            return json.dumps(values, default=str).encode() + b"\n"


def _cell(value: object) -> str:
    """Return a kept cell as text."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)


@dataclass(frozen=True)
class CompressedFormat:
    """A format compressed with gzip: each part is a member of its own, so that others can be appended."""

    inner: Format

    @property
    def added(self) -> tuple[str, ...]:
        """The names of the added columns, without the prefix."""
        return self.inner.added

    @property
    def prefix(self) -> str:
        """The prefix of the names of the added columns."""
        return self.inner.prefix

    @property
    def header(self) -> bytes:
        """The compressed header; for JSON lines, which have none, an empty member."""
        return _compress(self.inner.header)

    def encode(self, judged: Sequence[JudgedRow]) -> bytes:
        """Return judged rows as one member."""
        return _compress(self.inner.encode(judged))

    def finish(self, part: Path, path: Path) -> None:
        """Finish the file as the inner format does."""
        self.inner.finish(part, path)


def _compress(content: bytes) -> bytes:
    """Return bytes as a member of a gzip file, without the time, so that equal bytes stay equal."""
    return gzip.compress(content, mtime=0)


def choose_format(files: Sequence[ReviewFile], into: Path | None, explain: bool, prefix: str) -> Format:
    """Return the format of the output: that of the file to write, or of the first file read, without compression.

    Raises `DataError` if the files have different columns, or one that would be added.
    """
    first = files[0]
    added = (*ADDED, *EXPLAINED) if explain else ADDED
    _refuse_clash(files, [prefix + name for name in added])
    ending = format_ending(into) if into else JSON_LINES if first.nested else format_ending(first.path)
    if into and ending not in FORMATS:
        raise DataError(f"{into} should end in {', '.join(FORMATS)}: verdicts are written in these formats.")
    if into and is_compressed(into):
        if ending == PARQUET_ENDING:
            raise DataError(f"{into} cannot be written: Parquet compresses its own columns. Leave .gz out of the name.")
        return CompressedFormat(choose_format(files, into.with_name(uncompressed_name(into)), explain, prefix))
    if ending == JSON_LINES:
        return TextFormat(None, first.names, added, prefix, first.nested)
    if any(each.names != first.names for each in files):
        raise DataError("The files have different columns. Judge them one by one.")
    if any(each.nested for each in files):
        raise DataError(f"JSON lines are written as JSON lines: give --into a file that ends in {JSON_LINES}.")
    if into and ending == PARQUET_ENDING:
        return parquet_format(files, added, prefix)
    return TextFormat(SEPARATORS.get(ending, ","), first.names, added, prefix)


def _refuse_clash(files: Sequence[ReviewFile], added: Sequence[str]) -> None:
    """Raise `DataError` if a file has a column that would be added."""
    for file in files:
        if taken := [name for name in added if name in file.names]:
            raise DataError(f"{file.path.name} already has a column {taken[0]}. {_USE_PREFIX}")
        if file.nested != files[0].nested:
            raise DataError("The files have different formats. Judge them one by one.")


@dataclass
class ResultFile:
    """An output file that can be resumed; `request` is a JSON object with the files and options.

    Raises `DataError` if it exists or was begun by another request, and `InUseError` if another command is writing it.
    """

    path: Path
    request: dict[str, Any]
    chosen: Format
    rows: int = 0  # complete, of an earlier command
    _bytes: int = field(default=0, init=False)
    _file: IO[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._refuse_existing()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = atomic.open_alone(self.path, self._part)  # locked until it is closed
        try:
            self._refuse_existing()  # another command may have just finished it
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _refuse_existing(self) -> None:
        """Raise `DataError` if the file exists."""
        if self.path.exists():
            raise DataError(f"{self.path} exists. Give another --into, or remove it first.")

    @property
    def _part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    @property
    def _state(self) -> Path:
        return self.path.with_name(f".{self.path.name}.resume")

    def _begin(self) -> None:
        """Cut the unfinished file after its last complete rows; without any, begin it anew."""
        state = self._read_state()
        if state and state["request"] != self.request:
            raise DataError(
                f"{self._part} was begun with other files, options or another release. Repeat that command, or remove "
                f"{self._part} and {self._state} to begin anew."
            )
        if not state:
            self._file.truncate(0)
            self._append(self.chosen.header, 0)
            return
        self.rows, self._bytes = int(state["rows"]), int(state["bytes"])
        self._file.truncate(self._bytes)
        self._file.seek(self._bytes)

    def _read_state(self) -> dict[str, Any] | None:
        """Read what an earlier command left; None if there is nothing to resume."""
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            return state if self._part.stat().st_size >= state["bytes"] else None
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{self._state} cannot be read ({error}). Remove it and {self._part}.") from error

    def write(self, judged: Sequence[JudgedRow]) -> None:
        """Append some rows; they are complete when this returns."""
        self._append(self.chosen.encode(judged), len(judged))

    def _append(self, content: bytes, rows: int) -> None:
        self._file.write(content)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows += rows
        self._bytes += len(content)
        state = {"request": self.request, "rows": self.rows, "bytes": self._bytes}
        atomic.write_text(self._state, json.dumps(state))

    def __enter__(self) -> "ResultFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file unless the work was stopped, and close it, which unlocks it."""
        if os.name == "nt":  # Windows does not rename an open file
            self._file.close()
        if kind is None:
            self.chosen.finish(self._part, self.path)
            self._state.unlink(missing_ok=True)
        self._file.close()
