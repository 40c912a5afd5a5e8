"""Readers of reviews to judge: tables, JSON lines, Parquet, text files and folders, with all columns kept.

Tables, JSON lines and text files may be compressed with gzip. A file is read as a stream, whatever its size. A row that
cannot be read becomes a row with an error. A file that cannot be read, or whose column of reviews is not obvious,
raises `DataError`.
"""

import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from training.data.columns import choose_review_column
from training.data.content import (
    MAX_LINE_CHARACTERS,
    detect_encoding,
    format_ending,
    is_compressed,
    limited_lines,
    open_content,
    open_text,
    too_long,
)
from training.data.reviews import DataError
from training.data.table_rows import has_header
from training.data.tables import Record, Table, is_blank, open_table

JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
PARQUET_ENDING = ".parquet"
SAMPLE_ROWS = 200  # in which the columns of text are looked for
_TEXT_FILES = ("*.txt", "*.txt.gz")
_PARQUET_ROWS = 1_000  # read at once

Position = Callable[[int], None]  # takes the bytes of a file that are read


@dataclass(frozen=True)
class Row:
    """A row of a file: its cells in the order of the file's columns, its review, or why it could not be read."""

    cells: Sequence[Any]
    review: object = None
    error: str = ""


@dataclass(frozen=True)
class ReviewFile:
    """A file or folder of reviews: the names of its columns, its size in bytes, and a function that yields its rows.

    `names` are those of JSON objects if `nested`: then a row has one cell, its object. `place` is that of the reviews
    among the columns, `schema` a Parquet file's.
    """

    path: Path
    names: tuple[str, ...]
    size: int
    rows: Callable[[Position], Iterator[Row]]
    nested: bool = False
    place: int = 0
    schema: Any = None

    @property
    def modified(self) -> int:
        """The time of the last change, in nanoseconds since 1970."""
        return self.path.stat().st_mtime_ns


def open_reviews(path: Path, column: str | None = None, one_per_file: bool = False) -> ReviewFile:
    """Find the format and the columns of a file or folder of reviews; `column` is a name, or a number from 1.

    Each .txt file of a folder is a review, and so is a .txt file with `one_per_file`; otherwise a .txt file has one
    review per line. Raises `DataError`.
    """
    if path.is_dir() or one_per_file:
        return _open_texts(path, column)
    if format_ending(path) == PARQUET_ENDING:
        return _open_parquet(path, column)
    if format_ending(path) in JSON_ENDINGS:
        return _open_json_lines(path, column)
    return _open_table(path, column)


def _open_texts(path: Path, column: str | None) -> ReviewFile:
    """Open the .txt files of a folder, or one, each as one review."""
    if column:
        raise DataError(f"{path} has one review per file, so there is no column {column}.")
    files = sorted(file for pattern in _TEXT_FILES for file in path.rglob(pattern)) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} has no .txt files.")

    def rows(position: Position) -> Iterator[Row]:
        done = 0
        for file in files:
            name = str(file.relative_to(path)) if path.is_dir() else file.name
            try:
                text = _whole_text(file)
                yield Row((name, text), text)
            except (OSError, DataError) as error:
                yield Row((name, ""), error=f"{name} cannot be read: {str(error).rstrip('.')}.")
            done += file.stat().st_size
            position(done)

    return ReviewFile(path, ("file", "review"), sum(file.stat().st_size for file in files), rows, place=1)


def _whole_text(path: Path) -> str:
    """Return the text of a file; raises `DataError` if it is too long."""
    with open_text(path, detect_encoding(path)) as file:
        text = file.read(MAX_LINE_CHARACTERS + 1)
    if len(text) > MAX_LINE_CHARACTERS:
        raise DataError(f"the review has more than {MAX_LINE_CHARACTERS:,} characters")
    return text


def _open_table(path: Path, column: str | None) -> ReviewFile:
    """Open a CSV file, or a text file of one review per line."""
    table = open_table(path)
    with open_content(path) as raw:
        filled = (each for each in table.records(raw) if each.error or not is_blank(each.cells))
        sample = list(itertools.islice(filled, SAMPLE_ROWS))
    if not sample:
        raise DataError(f"{path} is empty: it has no reviews.")
    first = [str(cell) for cell in sample[0].cells]
    is_headed = has_header(table, first)
    if is_headed and len(sample) == 1:
        raise DataError(f"{path.name} has a header, but no rows below it.")
    place = _place(path, first, is_headed, sample[is_headed:], column)
    names = tuple(first) if is_headed else ("review",) if len(first) == 1 else _numbered(len(first))
    return ReviewFile(path, names, path.stat().st_size, partial(_table_rows, table, is_headed, place), place=place)


def _numbered(width: int) -> tuple[str, ...]:
    """Return names for the columns of a file without a header."""
    return tuple(f"column {number}" for number in range(1, width + 1))


def _place(path: Path, first: Sequence[str], is_headed: bool, sample: Sequence[Record], column: str | None) -> int:
    """Return the place of the column of reviews; the only column needs no name."""
    if column is None and len(first) == 1:
        return 0
    textual = {
        place
        for record in sample
        for place, cell in enumerate(record.cells)
        if isinstance(cell, str) and any(map(str.isalpha, cell))
    }
    return choose_review_column(path.name, first, is_headed, textual, column)


def _table_rows(table: Table, is_headed: bool, place: int, position: Position) -> Iterator[Row]:
    """Yield the rows of a table below its header; one with too many or too few cells has an error."""
    width = 0
    with open_content(table.path) as raw:
        for record in table.records(raw):
            if not record.cells:  # a blank line
                continue
            if not width and is_headed:
                width = len(record.cells)
                continue
            width = width or len(record.cells)
            position(raw.position)
            yield _table_row(record, width, place)


def _table_row(record: Record, width: int, place: int) -> Row:
    """Return a row with as many cells as the header."""
    cells = [*record.cells, *[""] * (width - len(record.cells))][:width]
    if record.error:
        return Row(cells, error=record.error)
    if len(record.cells) != width:
        return Row(cells, error=f"Line {record.line} has {len(record.cells)} cells instead of {width}.")
    return Row(cells, cells[place])


def _open_json_lines(path: Path, column: str | None) -> ReviewFile:
    """Open JSON lines; the column is chosen among the names of the first objects."""
    encoding = detect_encoding(path)
    with open_text(path, encoding) as file:
        filled = (line for line in limited_lines(file) if line and line.strip())
        start = list(itertools.islice(map(parsed, filled), SAMPLE_ROWS))
    sample = [each for each in start if isinstance(each, dict)]
    if not sample:
        raise DataError(f"{path} has no JSON object on its first {SAMPLE_ROWS} lines. Write one object per line.")
    names = tuple(dict.fromkeys(name for each in sample for name in each))
    records = [Record(0, [each.get(name) for name in names]) for each in sample]
    place = _place(path, names, True, records, column)
    name = names[place]

    def rows(position: Position) -> Iterator[Row]:
        with open_content(path) as raw, io.TextIOWrapper(raw, encoding=encoding) as file:
            for number, line in enumerate(limited_lines(file), start=1):
                position(raw.position)
                if line is None:
                    yield Row(({"line": number},), error=too_long(number))
                elif line.strip():
                    yield json_row(parsed(line), number, name)

    return ReviewFile(path, names, path.stat().st_size, rows, nested=True, place=place)


def parsed(line: str) -> object:
    """Return the value of a line of JSON, or the error of an invalid one."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return error


def json_row(value: object, line: int, name: str) -> Row:
    """Return the row of a parsed line."""
    if not isinstance(value, dict):
        problem = f"is not JSON: {value}" if isinstance(value, Exception) else "is JSON, but not an object"
        return Row(({"line": line},), error=f"Line {line} {problem}.")
    if not isinstance(value.get(name), str):
        return Row((value,), error=f"Line {line} has no text in {name}.")
    return Row((value,), value[name])


def _open_parquet(path: Path, column: str | None) -> ReviewFile:
    """Open a Parquet file; needs pyarrow."""
    if is_compressed(path):
        raise DataError(f"{path} cannot be read: Parquet compresses its own columns. Decompress it: gunzip {path.name}")
    pyarrow, parquet = import_pyarrow()
    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a Parquet file: {error}.") from error
    schema = file.schema_arrow
    textual = {place for place, kind in enumerate(schema.types) if str(kind) in ("string", "large_string")}
    place = choose_review_column(path.name, schema.names, True, textual, column)
    total = max(file.metadata.num_rows, 1)
    size = path.stat().st_size

    def rows(position: Position) -> Iterator[Row]:
        done = 0
        for batch in parquet.ParquetFile(path).iter_batches(_PARQUET_ROWS):
            for cells in zip(*map(_python_values, batch.columns), strict=True):
                has_text = isinstance(cells[place], str)
                yield Row(cells, cells[place]) if has_text else Row(cells, error="The row has no text.")
            done += batch.num_rows
            position(size * done // total)

    return ReviewFile(path, tuple(schema.names), size, rows, place=place, schema=schema)


def _python_values(column: Any) -> list[Any]:
    """Return the values of a column; Python's times have microseconds, so that nanoseconds are cut off."""
    pyarrow, _ = import_pyarrow()
    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    return list(column.to_pylist())


def import_pyarrow() -> tuple[Any, Any]:
    """Return the modules `pyarrow` and `pyarrow.parquet`; raises `DataError` where they are not installed."""
    try:
        import pyarrow  # large, and only needed for Parquet
        from pyarrow import parquet
    except ImportError as error:
        raise DataError("Parquet files need the package pyarrow. Install it: pip install pyarrow") from error
    return pyarrow, parquet
