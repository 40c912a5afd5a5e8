"""Reader of tables of reviews: CSV with any usual separator and encoding, JSON lines, and text of one review per line.

A file, which may be compressed (see `content`), is read without loading it whole. static/reading.js follows the same
rules; tests/cases/files.json has the cases.
"""

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from training.data.columns import SEPARATORS, choose_separator
from training.data.content import (
    MAX_LINE_CHARACTERS,
    detect_encoding,
    format_ending,
    limited_lines,
    open_content,
    open_text,
    too_long,
)
from training.data.reviews import DataError

MAX_FIELD_CHARACTERS = 10_000_000
KINDS = {
    ".csv": "table",
    ".tsv": "table",
    ".txt": "lines",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}  # by the file's ending
_QUOTINGS = ("doubled", "escaped", "literal")  # in order of preference; see `Table`
_SAMPLE_CHARACTERS = 1 << 18
_SAMPLE_ROWS = 25
_LONG_RECORD = 200  # lines of a record, from which a missing quote is suspected


class Record(NamedTuple):
    """A row of a file, the line on which it begins (from 1), and why it could not be read; then it has a blank cell."""

    line: int
    cells: Sequence[Any]
    error: str = ""


@dataclass(frozen=True)
class Table:
    """A file and its format.

    `kind` is "table", "lines" or "json". `quoting` is "doubled" if a quote inside a quoted cell is doubled, "escaped"
    if it follows a backslash, or "literal" if quotes have no meaning. `keys` are the names of JSON values.
    """

    path: Path
    kind: str
    encoding: str
    separator: str = ","
    quoting: str = _QUOTINGS[0]
    is_declared: bool = False
    keys: tuple[str, ...] = ()

    def records(self, raw: IO[bytes]) -> Iterator[Record]:
        """Yield the rows of the file, blank ones too; raises `DataError` that names the invalid line."""
        with io.TextIOWrapper(raw, encoding=self.encoding, newline="") as file:
            if self.kind == "table":
                yield from self._cells(file)
            elif self.kind == "json":
                for line, row in _objects(self.path.name, file):
                    yield Record(line, [row.get(key) for key in self.keys])
            else:
                for line, text in enumerate(limited_lines(file), start=1):
                    yield Record(line, [""], too_long(line)) if text is None else Record(line, [text.rstrip("\r\n")])

    def _cells(self, file: IO[str]) -> Iterator[Record]:
        """Yield the rows of a CSV file."""
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        lines = _TableLines(self.path.name, file)
        quote = None if self.quoting == "literal" else '"'
        rows = csv.reader(
            (line.replace('\\"', '""') for line in lines) if self.quoting == "escaped" else lines,
            delimiter=self.separator,
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )
        line = 1
        try:
            for cells in rows:
                if line > 1 or not self.is_declared:
                    yield Record(line, cells)
                line = rows.line_num + 1
                lines.characters = 0
        except csv.Error as error:
            raise DataError(
                f"{self.path.name}, line {line} is not CSV: {error}. Check the quotes of the row that begins there."
            ) from error


def open_table(path: Path) -> Table:
    """Find the format of a file: its encoding, separator and quotes; raises `DataError` if it is not a table."""
    ending = format_ending(path)
    kind = KINDS.get(ending)
    if kind is None:
        raise DataError(
            f"{path} is not a .csv, .tsv, .jsonl or .txt file, as it is or compressed with gzip (.csv.gz), nor a "
            ".tar.gz file."
        )
    encoding = detect_encoding(path)
    with open_text(path, encoding, newline="") as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    if "\0" in sample:
        raise DataError(f"{path} is not a text file.")
    if kind == "json":
        return _json_table(path, encoding, sample)
    if kind == "lines" and not _are_tabbed(sample):
        return Table(path, kind, encoding)
    if declared := re.match(r'sep=([^\r\n"])(\r|\n|$)', sample, re.IGNORECASE):
        return _with_quoting(Table(path, "table", encoding, declared[1], is_declared=True))
    candidates = sorted(SEPARATORS, key=lambda each: each != "\t") if ending == ".tsv" else SEPARATORS
    separator = "\t" if kind == "lines" else choose_separator(candidates, lambda each: _sampled(sample, each))
    return _with_quoting(Table(path, "table", encoding, separator))


def _json_table(path: Path, encoding: str, sample: str) -> Table:
    """Find the keys of a file of JSON lines, in the order of their appearance."""
    if sample.lstrip().startswith("[") and format_ending(path) == ".json":
        raise DataError(f"{path} is one JSON array. Save it as JSON lines: one object per line.")
    with open_text(path, encoding, newline="") as file:
        keys = dict.fromkeys(key for _, row in _objects(path.name, file) for key in row)
    return Table(path, "json", encoding, keys=tuple(keys))


def _with_quoting(table: Table) -> Table:
    """Return the table with the first quoting that fits all of the file; raises `DataError` if none does."""
    first_error: DataError | None = None
    for quoting in _QUOTINGS if table.separator == "\t" else _QUOTINGS[:2]:
        attempt = replace(table, quoting=quoting)
        try:
            with open_content(table.path) as raw:
                for _ in attempt.records(raw):
                    pass
        except DataError as error:
            first_error = first_error or error
        else:
            return attempt
    raise first_error or AssertionError("there is at least one quoting")


class _TableLines:
    """The lines of a table; raises `DataError` at a zero byte, as of a binary file, or if a row is too long.

    `characters` counts those of the present row: the reader of rows sets it to 0 after each.
    """

    def __init__(self, name: str, file: IO[str]) -> None:
        self._name = name
        self._file = file
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(limited_lines(self._file), start=1):
            if line is None:
                raise DataError(f"{self._name}: {too_long(number)}")
            self.characters += len(line)
            if self.characters > MAX_LINE_CHARACTERS:
                raise DataError(
                    f"{self._name}: the row of line {number} has more than {MAX_LINE_CHARACTERS:,} characters."
                )
            if "\0" in line:
                raise DataError(f"{self._name} is not a text file.")
            yield line


def _sampled(sample: str, separator: str) -> list[list[str]]:
    """Parse the first rows of a sample, without blank ones and without the last if the sample may cut it."""
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    is_cut = len(sample) == _SAMPLE_CHARACTERS
    try:
        found = list(itertools.islice(rows, _SAMPLE_ROWS))
    except csv.Error:
        return [[""]]
    if is_cut and len(found) < _SAMPLE_ROWS:
        found = found[:-1]
    return [cells for cells in found if any(map(str.strip, cells))] or [[""]]


def _are_tabbed(sample: str) -> bool:
    """Return whether the lines of a text file are rows with tabs."""
    lines = re.split(r"\r\n|\r|\n", sample)
    lines = [line for line in (lines[:-1] if len(sample) == _SAMPLE_CHARACTERS else lines) if line.strip()]
    counts = {line.count("\t") for line in lines[:_SAMPLE_ROWS]}
    return len(lines) > 1 and len(counts) == 1 and 0 not in counts


def _objects(name: str, file: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each JSON object and its line; blank lines are skipped."""
    for line, text in enumerate(limited_lines(file), start=1):
        if text is None:
            raise DataError(f"{name}: {too_long(line)}")
        if not text.strip():
            continue
        try:
            row = json.loads(text, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {line} is not JSON: {error}.") from error
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {line} is JSON, but not a JSON object.")
        yield line, row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; raises `ValueError` if two of its values have one name."""
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("two values have one name")
    return row


def is_blank(cells: Sequence[Any]) -> bool:
    """Return whether a row is a blank line."""
    return len(cells) == 0 or (len(cells) == 1 and not str(cells[0]).strip())


def swallowed_lines(cells: Sequence[Any], separator: str) -> int:
    """Return the lines of a record that may have swallowed others, as a quote is missing; 0 if it looks sound.

    A quoted cell of such a record holds lines that look like rows, or very many lines.
    """
    texts = [re.split(r"\r\n|\r|\n", cell) for cell in cells]
    count = 1 + sum(len(lines) - 1 for lines in texts)
    inner = [line for lines in texts for line in lines[1:-1] if line.strip()]
    looks_like_rows = all(len(line.split(separator)) == len(cells) for line in inner)
    holds_rows = len(cells) > 1 and len(inner) >= (1 if len(cells) > 2 else 2) and looks_like_rows
    return count if holds_rows or count > _LONG_RECORD else 0
