"""Reader of labelled reviews from a table with a column of reviews and a column of labels or ratings.

Such a file has no official test. All of its reviews belong to train, numbered by row: `splits` holds out blocks of
neighbouring rows for validation, and `evaluate` reports no test.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from training.data.columns import ColumnChoice, Columns, choose_columns, is_known_header, may_be_header
from training.data.labels import MAX_VALUES, Scale, choose_scale, cleaned
from training.data.reviews import DataError, Review
from training.data.tables import Record, Table, is_blank, open_table, swallowed_lines
from training.progress import ProgressCallback, silent

NoteCallback = Callable[[str], None]  # takes a sentence for the user
KNOWN_NAMES = ColumnChoice()  # the columns with known names
_TICK_EVERY = 500  # rows


def ignore_note(note: str) -> None:
    """Ignore a note."""


@dataclass
class _Value:
    """The first line with a value of a column, and the number of rows with it."""

    line: int
    rows: int = 0


@dataclass
class _Survey:
    """What a first pass over the rows finds.

    `textual` holds the columns with letters, and `values` the first values of each column. `swallowed` holds (line,
    lines) of the rows that may have swallowed others.
    """

    textual: set[int] = field(default_factory=set)
    values: dict[int, dict[str, _Value]] = field(default_factory=dict)  # column -> value -> where
    swallowed: list[tuple[int, int]] = field(default_factory=list)


def read_labelled(
    path: Path,
    tick: ProgressCallback = silent,
    choice: ColumnChoice = KNOWN_NAMES,
    note: NoteCallback = ignore_note,
) -> Iterator[Review]:
    """Yield the reviews of a file that have a clear label: rows of a middle rating or without a label are left out.

    `note` gets sentences about the decisions: the columns, the scale of the labels, and the number of rows left out.
    Raises `DataError` that names the invalid line, or the columns if the right ones are not obvious.
    """
    table = open_table(path)
    first = _first_row(table)
    has_header = table.kind == "table" and (is_known_header(first) or may_be_header(first))
    survey = _survey(table, has_header)
    names = table.keys if table.kind == "json" else first
    columns = choose_columns(path.name, names, has_header or table.kind == "json", survey.textual, choice)
    values = survey.values.get(columns.label, {})
    first_lines = {value: found.line for value, found in values.items()}
    scale = choose_scale(path.name, columns.describe(columns.label), first_lines)
    for sentence in _notes(table, columns, scale, survey):
        note(sentence)
    total = path.stat().st_size
    with path.open("rb") as raw:
        for count, record in enumerate(_rows(table, raw, has_header)):
            if count % _TICK_EVERY == 0:
                tick(raw.tell(), total, "")
            label = scale.label_of(cleaned(record.cells[columns.label]))
            text = _text(f"{path.name}, line {record.line}", record.cells[columns.review])
            if label is not None:
                rating = scale.rating_of(cleaned(record.cells[columns.label]))
                yield Review("train", count, label, rating, text)
        tick(total, total, "")


def _first_row(table: Table) -> Sequence[str]:
    """Return the first row that is not blank; raises `DataError` if there is none."""
    with table.path.open("rb") as raw:
        for record in table.records(raw):
            if not is_blank(record.cells):
                return record.cells
    raise DataError(f"{table.path} is empty: it has no reviews.")


def _rows(table: Table, raw: IO[bytes], has_header: bool) -> Iterator[Record]:
    """Yield the rows below the header without blank ones; raises `DataError` if their number of cells differs."""
    width = 0
    for record in table.records(raw):
        if is_blank(record.cells):
            continue
        if width and len(record.cells) != width:
            raise DataError(
                f"{table.path.name}, line {record.line}: the number of cells is {len(record.cells)} instead of {width}."
            )
        if width or not has_header:
            yield record
        width = len(record.cells)


def _survey(table: Table, has_header: bool) -> _Survey:
    """Read all rows once; raises `DataError` if there are none, or none with letters."""
    survey = _Survey()
    with table.path.open("rb") as raw:
        for record in _rows(table, raw, has_header):
            _survey_row(survey, table, record)
    if not survey.values:
        raise DataError(f"{table.path.name} has a header, but no rows below it.")
    if not survey.textual:
        raise DataError(f"{table.path.name} has no column of text: its cells are numbers or empty.")
    return survey


def _survey_row(survey: _Survey, table: Table, record: Record) -> None:
    """Add a row to the survey."""
    for place, cell in enumerate(record.cells):
        if place not in survey.textual and isinstance(cell, str) and any(map(str.isalpha, cell)):
            survey.textual.add(place)
        values = survey.values.setdefault(place, {})
        value = cleaned(cell)
        if value in values or len(values) <= MAX_VALUES:
            values.setdefault(value, _Value(record.line)).rows += 1
    if table.kind == "table" and (lines := swallowed_lines(record.cells, table.separator)):
        survey.swallowed.append((record.line, lines))


def _notes(table: Table, columns: Columns, scale: Scale, survey: _Survey) -> Iterator[str]:
    """Yield sentences about what was decided for a file."""
    review, label = columns.describe(columns.review), columns.describe(columns.label)
    yield f"{table.path.name}: reviews from {review}, labels from {label} ({scale.description})."
    values = survey.values[columns.label]
    middle = sum(found.rows for value, found in values.items() if value and scale.label_of(value) is None)
    missing = values[""].rows if "" in values else 0
    if middle or missing:
        yield f"Rows left out: {middle:,} with a middle label, {missing:,} without a label."
    if table.encoding == "cp1252":
        yield "The file is not UTF-8, so it was read as Windows-1252."
    for line, lines in survey.swallowed[:3]:
        yield f"Line {line}: a quote may be missing, because one row spans {lines} lines."


def _text(where: str, cell: object) -> str:
    """Return a row's review; empty if it is missing."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise DataError(f"{where}: the review is not a string.")
    if any("\ud800" <= character <= "\udfff" for character in cell):
        raise DataError(f"{where}: the review has half of a surrogate pair, which UTF-8 cannot encode.")
    return cell
