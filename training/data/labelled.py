"""Reader of labelled reviews from a .csv or .jsonl file with a review column and a label column.

Such a file has no official test. All of its reviews belong to train, numbered by row: `splits` holds out blocks of
neighbouring rows for validation, and `evaluate` reports no test.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from training.data.reviews import DataError, Review
from training.progress import ProgressCallback, silent

REVIEW_COLUMNS = ("review", "text")
LABEL_COLUMNS = ("label", "sentiment")
LABELS = {"positive": 1, "pos": 1, "1": 1, "negative": 0, "neg": 0, "0": 0}
MAX_FIELD_CHARACTERS = 10_000_000
_TICK_EVERY = 500  # rows


def read_labelled(path: Path, tick: ProgressCallback = silent) -> Iterator[Review]:
    """Yield the reviews of a .csv or .jsonl file (UTF-8); raises `DataError` that names the invalid row."""
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path} is not a .csv, .jsonl or .tar.gz file.")
    total = path.stat().st_size
    try:
        with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            for count, (line, row) in enumerate(readers[path.suffix.lower()](path.name, file)):
                if count % _TICK_EVERY == 0:
                    tick(raw.tell(), total, "")
                yield _review(f"{path.name}, line {line}", count, row)
        tick(total, total, "")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error


def _csv_rows(name: str, file: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row and the line it ends on."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    rows = csv.DictReader(file, strict=True)
    try:
        for row in rows:
            if None in row or None in row.values():
                raise DataError(f"{name}, line {rows.line_num}: the number of fields differs from the first line.")
            yield rows.line_num, row
    except csv.Error as error:
        raise DataError(f"{name}, line {rows.line_num} is not CSV: {error}.") from error


def _jsonl_rows(name: str, file: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each object and its line; empty lines are skipped."""
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {line} is not JSON: {error}.") from error
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {line} is JSON, but not a JSON object.")
        yield line, row


def _review(where: str, number: int, row: dict[str, Any]) -> Review:
    """Build a review from a row."""
    text = _field(where, row, REVIEW_COLUMNS)
    label = _field(where, row, LABEL_COLUMNS)
    if not isinstance(text, str):
        raise DataError(f"{where}: the review is not a string.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise DataError(f"{where}: the review has half of a surrogate pair, which UTF-8 cannot encode.")
    key = str(int(label) if isinstance(label, bool) else label).strip().lower()
    if key not in LABELS:
        raise DataError(f"{where}: unknown label {str(label)[:40]!r}. Use one of: {', '.join(LABELS)}.")
    return Review("train", number, LABELS[key], None, text)


def _field(where: str, row: dict[str, Any], columns: tuple[str, ...]) -> object:
    """Return the value of the first of these columns that a row has; raises `DataError` if it has none."""
    for column in columns:
        if column in row:
            value: object = row[column]
            return value
    raise DataError(f"{where}: no column {' or '.join(columns)}. The columns are {', '.join(map(str, row))[:200]}.")
