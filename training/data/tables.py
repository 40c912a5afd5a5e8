"""Reader of tables of reviews: CSV with any usual separator and encoding, JSON lines, and text of one review per line.

A file is read without loading it whole. static/reading.js follows the same rules; tests/cases/files.json has the cases.
"""

import codecs
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
_CHUNK_BYTES = 1 << 20


class Record(NamedTuple):
    """A row of a file, and the line on which it begins (from 1)."""

    line: int
    cells: Sequence[Any]


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
                yield from (Record(line, [text.rstrip("\r\n")]) for line, text in enumerate(file, start=1))

    def _cells(self, file: IO[str]) -> Iterator[Record]:
        """Yield the rows of a CSV file."""
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        lines = _without_zeros(self.path.name, file)
        if self.quoting == "escaped":
            lines = (line.replace('\\"', '""') for line in lines)
        quote = None if self.quoting == "literal" else '"'
        rows = csv.reader(
            lines,
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
        except csv.Error as error:
            raise DataError(
                f"{self.path.name}, line {line} is not CSV: {error}. Check the quotes of the row that begins there."
            ) from error


def open_table(path: Path) -> Table:
    """Find the format of a file: its encoding, separator and quotes; raises `DataError` if it is not a table."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise DataError(f"{path} is not a .csv, .tsv, .jsonl, .txt or .tar.gz file.")
    encoding = detect_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    if "\0" in sample:
        raise DataError(f"{path} is not a text file.")
    if kind == "json":
        return _json_table(path, encoding, sample)
    if kind == "lines" and not _are_tabbed(sample):
        return Table(path, kind, encoding)
    if declared := re.match(r'sep=([^\r\n"])(\r|\n|$)', sample, re.IGNORECASE):
        return _with_quoting(Table(path, "table", encoding, declared[1], is_declared=True))
    candidates = sorted(SEPARATORS, key=lambda each: each != "\t") if path.suffix.lower() == ".tsv" else SEPARATORS
    separator = "\t" if kind == "lines" else choose_separator(candidates, lambda each: _sampled(sample, each))
    return _with_quoting(Table(path, "table", encoding, separator))


def _json_table(path: Path, encoding: str, sample: str) -> Table:
    """Find the keys of a file of JSON lines, in the order of their appearance."""
    if sample.lstrip().startswith("[") and path.suffix.lower() == ".json":
        raise DataError(f"{path} is one JSON array. Save it as JSON lines: one object per line.")
    with path.open(encoding=encoding, newline="") as file:
        keys = dict.fromkeys(key for _, row in _objects(path.name, file) for key in row)
    return Table(path, "json", encoding, keys=tuple(keys))


def _with_quoting(table: Table) -> Table:
    """Return the table with the first quoting that fits all of the file; raises `DataError` if none does."""
    first_error: DataError | None = None
    for quoting in _QUOTINGS if table.separator == "\t" else _QUOTINGS[:2]:
        attempt = replace(table, quoting=quoting)
        try:
            with table.path.open("rb") as raw:
                for _ in attempt.records(raw):
                    pass
        except DataError as error:
            first_error = first_error or error
        else:
            return attempt
    raise first_error or AssertionError("there is at least one quoting")


def detect_encoding(path: Path) -> str:
    """Return UTF-16 by the byte order mark or the zeros, UTF-8 if all of the file is, or else Windows-1252.

    Raises `DataError` if the file is none of them.
    """
    encoding = next((each for each in _encodings(path) if _is_encoded(path, each)), None)
    if encoding is None:
        raise DataError(f"{path} is not text in UTF-8, UTF-16 or Windows-1252. Save it as UTF-8.")
    return encoding


def _encodings(path: Path) -> tuple[str, ...]:
    """Return the encodings that a file may have, by its first bytes, the likeliest first."""
    with path.open("rb") as file:
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
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _without_zeros(name: str, file: IO[str]) -> Iterator[str]:
    """Yield the lines of a file; raises `DataError` at a zero byte, as of a binary file."""
    for line in file:
        if "\0" in line:
            raise DataError(f"{name} is not a text file.")
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
    for line, text in enumerate(file, start=1):
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
