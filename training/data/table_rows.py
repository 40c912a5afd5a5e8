"""The rows of a table below its header, and a survey of its columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from training.data.columns import is_known_header, may_be_header
from training.data.content import open_content
from training.data.labels import MAX_VALUES, cleaned
from training.data.reviews import DataError
from training.data.tables import Record, Table, is_blank, swallowed_lines


@dataclass
class Value:
    """The first line with a value of a column, and the number of rows with it."""

    line: int
    rows: int = 0


@dataclass
class Survey:
    """What a first pass over the rows finds.

    `textual` holds the columns with letters, and `values` the first values of each column. `swallowed` holds (line,
    lines) of the rows that may have swallowed others.
    """

    textual: set[int] = field(default_factory=set)
    values: dict[int, dict[str, Value]] = field(default_factory=dict)  # column -> value -> where
    swallowed: list[tuple[int, int]] = field(default_factory=list)


def has_header(table: Table, first: Sequence[str]) -> bool:
    """Return whether the first row of a table is its header; JSON lines have none."""
    return table.kind == "table" and (is_known_header(first) or may_be_header(first))


def first_row(table: Table) -> Sequence[str]:
    """Return the first row that is not blank; raises `DataError` if there is none, or if it cannot be read."""
    with open_content(table.path) as raw:
        for record in table.records(raw):
            _refuse_error(table, record)
            if not is_blank(record.cells):
                return record.cells
    raise DataError(f"{table.path} is empty: it has no reviews.")


def data_rows(table: Table, raw: IO[bytes], is_headed: bool) -> Iterator[Record]:
    """Yield the rows below the header without blank ones; raises `DataError` that names the invalid one."""
    width = 0
    for record in table.records(raw):
        _refuse_error(table, record)
        if is_blank(record.cells):
            continue
        if width and len(record.cells) != width:
            raise DataError(
                f"{table.path.name}, line {record.line}: the number of cells is {len(record.cells)} instead of {width}."
            )
        if width or not is_headed:
            yield record
        width = len(record.cells)


def _refuse_error(table: Table, record: Record) -> None:
    """Raise `DataError` if a row could not be read."""
    if record.error:
        raise DataError(f"{table.path.name}: {record.error}")


def survey_columns(table: Table, is_headed: bool) -> Survey:
    """Read all rows once; raises `DataError` if there are none, or none with letters."""
    survey = Survey()
    with open_content(table.path) as raw:
        for record in data_rows(table, raw, is_headed):
            _add_row(survey, table, record)
    if not survey.values:
        raise DataError(f"{table.path.name} has a header, but no rows below it.")
    if not survey.textual:
        raise DataError(f"{table.path.name} has no column of text: its cells are numbers or empty.")
    return survey


def _add_row(survey: Survey, table: Table, record: Record) -> None:
    """Add a row to the survey."""
    for place, cell in enumerate(record.cells):
        if place not in survey.textual and isinstance(cell, str) and any(map(str.isalpha, cell)):
            survey.textual.add(place)
        values = survey.values.setdefault(place, {})
        value = cleaned(cell)
        if value in values or len(values) <= MAX_VALUES:
            values.setdefault(value, Value(record.line)).rows += 1
    if table.kind == "table" and (lines := swallowed_lines(record.cells, table.separator)):
        survey.swallowed.append((record.line, lines))


def review_text(where: str, cell: object) -> str:
    """Return a row's review; empty if it is missing."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise DataError(f"{where}: the review is not a string.")
    if any("\ud800" <= character <= "\udfff" for character in cell):
        raise DataError(f"{where}: the review has half of a surrogate pair, which UTF-8 cannot encode.")
    return cell
