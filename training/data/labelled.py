"""Reader of labelled reviews from a table with a column of reviews and a column of labels or ratings.

Such a file has no official test. All of its reviews belong to train, numbered by row: `splits` holds out blocks of
neighbouring rows for validation, and `evaluate` reports no test.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from training.data.columns import ColumnChoice, Columns, choose_columns
from training.data.labels import Scale, choose_scale, cleaned
from training.data.reviews import Review
from training.data.table_rows import Survey, data_rows, first_row, has_header, review_text, survey_columns
from training.data.tables import Table, open_table
from training.progress import ProgressCallback, silent

NoteCallback = Callable[[str], None]  # takes a sentence for the user
KNOWN_NAMES = ColumnChoice()  # the columns with known names
_TICK_EVERY = 500  # rows


def ignore_note(note: str) -> None:
    """Ignore a note."""


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
    first = first_row(table)
    is_headed = has_header(table, first)
    survey = survey_columns(table, is_headed)
    names = table.keys if table.kind == "json" else first
    columns = choose_columns(path.name, names, is_headed or table.kind == "json", survey.textual, choice)
    values = survey.values.get(columns.label, {})
    first_lines = {value: found.line for value, found in values.items()}
    scale = choose_scale(path.name, columns.describe(columns.label), first_lines)
    for sentence in _notes(table, columns, scale, survey):
        note(sentence)
    total = path.stat().st_size
    with path.open("rb") as raw:
        for count, record in enumerate(data_rows(table, raw, is_headed)):
            if count % _TICK_EVERY == 0:
                tick(raw.tell(), total, "")
            label = scale.label_of(cleaned(record.cells[columns.label]))
            text = review_text(f"{path.name}, line {record.line}", record.cells[columns.review])
            if label is not None:
                rating = scale.rating_of(cleaned(record.cells[columns.label]))
                yield Review("train", count, label, rating, text)
        tick(total, total, "")


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
