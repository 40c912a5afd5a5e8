"""Feedback in files: CSV that is safe to open in a spreadsheet, or JSON lines."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from chalicelib.errors import SentimentError
from operations.feedback.table import COLUMNS, FeedbackRecord
from training.atomic import write_text

_RISKY = re.compile("^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # a spreadsheet would evaluate it; as in static/csv.js
_QUOTED = re.compile("[\",;\r\n\t']")


class FileTypeError(SentimentError):
    """The name of a file does not end in a supported type."""

    type = "file-type"
    title = "This type of file is not supported"


def write(records: Iterable[FeedbackRecord], path: Path) -> int:
    """Write records to a .csv or .jsonl file, oldest first, and return their number; raises `FileTypeError`."""
    writers = {".csv": csv_of, ".jsonl": json_lines_of}
    if path.suffix not in writers:
        raise FileTypeError(f"{path} ends in neither .csv nor .jsonl. Choose one of them.")
    ordered = sorted(records, key=lambda record: (record.time, record.id))
    write_text(path, writers[path.suffix](ordered))
    return len(ordered)


def csv_of(records: Iterable[FeedbackRecord]) -> str:
    """Return CSV (RFC 4180) with a header. What a spreadsheet would evaluate begins with an apostrophe."""
    rows = [COLUMNS, *([str(value) for value in asdict(record).values()] for record in records)]
    return "".join(",".join(map(cell_of, row)) + "\r\n" for row in rows)


def cell_of(text: str) -> str:
    """Return a cell of CSV."""
    safe = f"'{text}" if _RISKY.match(text) else text
    return '"{}"'.format(safe.replace('"', '""')) if _QUOTED.search(safe) else safe


def json_lines_of(records: Iterable[FeedbackRecord]) -> str:
    """Return a JSON object for each record, one per line."""
    return "".join(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)
