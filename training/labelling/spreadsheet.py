"""Labels in a spreadsheet: a CSV file with the columns `id`, `review`, `label` and `note`, written and read again.

A cell that a spreadsheet would evaluate begins with an apostrophe in the file, which reading removes.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from training import atomic
from training.data.content import open_content
from training.data.hand_labels import LABELS, HandLabel, Label, Order
from training.data.review_rows import ReviewRow
from training.data.reviews import DataError
from training.data.table_rows import data_rows, first_row
from training.data.tables import open_table
from training.labelling.agreement import Difference
from training.labelling.session import hand_label

COLUMNS = ("id", "review", "label", "note")
_EVALUATED = "=+-@\t\r\n＝＋－＠"  # a spreadsheet may evaluate a cell that begins with one of these
_SHORT: dict[str, Label] = {"p": "positive", "n": "negative", "m": "mixed", "x": "not a review", "s": "skipped"}


class SpreadsheetRow(NamedTuple):
    """A row with a label, and the line on which it begins."""

    line: int
    id: str
    label: Label
    note: str


def write_spreadsheet(path: Path, rows: Iterable[ReviewRow], labels: Iterable[HandLabel]) -> None:
    """Write the reviews with their labels so far; it does not show verdicts."""
    by_id = {label.id: label for label in labels}
    cells = []
    for row in rows:
        label = by_id.get(row.id)
        cells.append((row.id, row.text, label.label if label else "", label.note if label else ""))
    _write(path, COLUMNS, cells)


def write_differences(path: Path, differences: Sequence[Difference], labellers: Sequence[str]) -> None:
    """Write the reviews on which two people differ."""
    names = [f"{name or 'unknown'} ({number})" for number, name in enumerate(labellers, start=1)]
    _write(path, ("id", "review", *names, *(f"note of {name}" for name in names)), differences)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file, with a byte order mark so that spreadsheets read it as UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_escaped(cell) for cell in row] for row in rows)
    atomic.write_text(path, "\ufeff" + text.getvalue())


def _escaped(cell: str) -> str:
    """Return a cell that a spreadsheet shows as text."""
    return f"'{cell}" if cell.startswith(tuple(_EVALUATED)) else cell


def _unescaped(cell: str) -> str:
    """Return a cell as it was before `_escaped`."""
    return cell[1:] if cell.startswith(tuple(f"'{character}" for character in _EVALUATED)) else cell


def read_spreadsheet(path: Path) -> list[SpreadsheetRow]:
    """Read the rows that have a label; raises `DataError` that names the column or the line that is not valid.

    A label is a name in any case, or its key in `verdict label`. Columns other than `id`, `label` and `note` are not
    read.
    """
    table = open_table(path)
    names = table.keys if table.kind == "json" else [name.strip().lower() for name in first_row(table)]
    missing = [name for name in ("id", "label") if name not in names]
    if missing:
        raise DataError(f"{path.name} has no column {' and no column '.join(missing)}. Write one with --export.")
    places = {name: place for place, name in enumerate(names)}
    found: dict[str, SpreadsheetRow] = {}
    with open_content(path) as raw:
        for record in data_rows(table, raw, table.kind == "table"):
            row = _parse(path.name, record.line, record.cells, places)
            if row and found.setdefault(row.id, row) is not row:
                raise DataError(f"{path.name}, line {row.line}: the id {row.id[:80]!r} has a label twice.")
    return list(found.values())


def _parse(name: str, line: int, cells: Sequence[object], places: Mapping[str, int]) -> SpreadsheetRow | None:
    """Return a row; None without a label."""

    def cell(column: str) -> str:
        value = cells[places[column]] if column in places else None
        return _unescaped("" if value is None else str(value)).strip()

    written = cell("label").lower()
    if not written:
        return None
    label = _SHORT.get(written) or next((label for label in LABELS if label == written), None)
    if label is None:
        raise DataError(
            f"{name}, line {line}: unknown label {written[:40]!r}. Use {', '.join(LABELS)}, or leave it empty."
        )
    return SpreadsheetRow(line, cell("id"), label, cell("note"))


def labels_to_append(
    name: str,
    imported: Sequence[SpreadsheetRow],
    rows: Iterable[ReviewRow],
    labels: Iterable[HandLabel],
    labeller: str,
    time: datetime,
    order: Order,
) -> list[HandLabel]:
    """Return the labels of a spreadsheet that are new or changed; raises `DataError` if an id is not in the source."""
    by_id = {_unescaped(row.id).strip(): row for row in rows}
    unknown = [row for row in imported if row.id not in by_id]
    if unknown:
        raise DataError(
            f"{name}, line {unknown[0].line}: the id {unknown[0].id[:80]!r} is not in the source ({len(unknown):,} "
            f"such rows of {len(imported):,}). Is it a spreadsheet of other reviews?"
        )
    current = {label.id: (label.label, label.note) for label in labels}
    return [
        hand_label(by_id[row.id], row.label, row.note, labeller, time, order)
        for row in imported
        if current.get(by_id[row.id].id) != (row.label, row.note)
    ]
