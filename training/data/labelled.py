"""Reader of labelled reviews from a table with a column of reviews and a column of labels or ratings.

Such a file has no official test. All of its reviews belong to train, numbered by row: `splits` holds out blocks of
neighbouring rows for validation, and `evaluate` reports no test.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.columns import ColumnChoice, Columns, choose_columns
from training.data.content import open_content
from training.data.labels import Scale, choose_scale, cleaned
from training.data.reviews import Review
from training.data.table_rows import Survey, data_rows, first_row, has_header, review_text, survey_columns
from training.data.tables import Record, Table, open_table
from training.progress import ProgressCallback, silent

NoteCallback = Callable[[str], None]  # takes a sentence for the user
KNOWN_NAMES = ColumnChoice()  # the columns with known names
_TICK_EVERY = 500  # rows


def ignore_note(note: str) -> None:
    """Ignore a note."""


@dataclass(frozen=True)
class LabelledTable:
    """A table whose column of reviews and column of labels are known; `names` is empty without a header."""

    table: Table
    is_headed: bool
    names: Sequence[str]
    columns: Columns
    scale: Scale

    def rows(self, tick: ProgressCallback = silent) -> Iterator[tuple[Review, Record]]:
        """Yield each review that has a clear label, with its row; raises `DataError` that names an invalid line."""
        total = self.table.path.stat().st_size
        with open_content(self.table.path) as raw:
            for count, record in enumerate(data_rows(self.table, raw, self.is_headed)):
                if count % _TICK_EVERY == 0:
                    tick(raw.position, total, "")
                review = self._review(record, count)
                if review:
                    yield review, record
            tick(total, total, "")

    def _review(self, record: Record, number: int) -> Review | None:
        """Return the review of a row, None without a clear label."""
        stated = cleaned(record.cells[self.columns.label])
        label = self.scale.label_of(stated)
        text = review_text(f"{self.table.path.name}, line {record.line}", record.cells[self.columns.review])
        return None if label is None else Review("train", number, label, self.scale.rating_of(stated), text)


def open_labelled(path: Path, choice: ColumnChoice = KNOWN_NAMES, note: NoteCallback = ignore_note) -> LabelledTable:
    """Read a table once, to find its columns and the scale of its labels.

    `note` gets sentences about the decisions: the columns, the scale of the labels, and the number of rows left out.
    Raises `DataError` that names the invalid line, or the columns if the right ones are not obvious.
    """
    table = open_table(path)
    first = first_row(table)
    is_headed = has_header(table, first)
    survey = survey_columns(table, is_headed)
    is_named = is_headed or table.kind == "json"
    names = table.keys if table.kind == "json" else first
    columns = choose_columns(path.name, names, is_named, survey.textual, choice)
    values = survey.values.get(columns.label, {})
    first_lines = {value: found.line for value, found in values.items()}
    scale = choose_scale(path.name, columns.describe(columns.label), first_lines)
    for sentence in _notes(table, columns, scale, survey):
        note(sentence)
    return LabelledTable(table, is_headed, names if is_named else (), columns, scale)


def read_labelled(
    path: Path,
    tick: ProgressCallback = silent,
    choice: ColumnChoice = KNOWN_NAMES,
    note: NoteCallback = ignore_note,
) -> Iterator[Review]:
    """Yield the reviews of a file that have a clear label: rows of a middle rating or without a label are left out.

    `note` and the errors are those of `open_labelled`.
    """
    for review, _ in open_labelled(path, choice, note).rows(tick):
        yield review


def _notes(table: Table, columns: Columns, scale: Scale, survey: Survey) -> Iterator[str]:
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
