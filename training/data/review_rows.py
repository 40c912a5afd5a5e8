"""Reader of reviews that need no label: any table with a column of reviews, or an export of feedback.

The other columns that are read have fixed names: `id`, `time`, `verdict`, `score`, `release`, `variant` and
`correction`, as in an export of feedback. All are optional.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from training.data.columns import choose_review_column
from training.data.content import open_content
from training.data.labelled import NoteCallback, ignore_note
from training.data.reviews import DataError
from training.data.table_rows import data_rows, first_row, has_header, review_text, survey_columns
from training.data.tables import open_table


@dataclass(frozen=True)
class ReviewRow:
    """A review, and what its source states about it.

    `id` is the source's, or else the SHA-256 of the text. `time` is ISO 8601. `verdict` and `correction` are labels of
    the app ("positive", "negative", "not sure"), `score` is the probability of positive, 0..1, and `release` and
    `variant` name the model. None: not stated.
    """

    id: str
    text: str
    time: str | None = None
    verdict: str | None = None
    score: float | None = None
    release: str | None = None
    variant: str | None = None
    correction: str | None = None

    @property
    def is_disputed(self) -> bool:
        """Whether a person corrected the verdict."""
        return bool(self.correction) and bool(self.verdict) and self.correction != self.verdict


def text_id(text: str) -> str:
    """Return the id of a review without one: the SHA-256 of its text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_review_rows(path: Path, review_column: str | None = None, note: NoteCallback = ignore_note) -> list[ReviewRow]:
    """Read the reviews of a file in its order, without empty ones.

    `review_column` is a name or a number from 1; None: the column with a known name. `note` gets sentences about what
    was read. Raises `DataError` that names the invalid line, or if there is no review.
    """
    table = open_table(path)
    first = first_row(table)
    is_headed = has_header(table, first)
    survey = survey_columns(table, is_headed)
    names = table.keys if table.kind == "json" else first
    place = choose_review_column(path.name, names, is_headed or table.kind == "json", survey.textual, review_column)
    read_row = row_reader(names if is_headed or table.kind == "json" else (), place)
    with open_content(path) as raw:
        read = [
            read_row(record.cells, review_text(f"{path.name}, line {record.line}", record.cells[place]))
            for record in data_rows(table, raw, is_headed)
        ]
    if table.encoding == "cp1252":
        note(f"{path.name} is not UTF-8, so it was read as Windows-1252.")
    for line, lines in survey.swallowed[:3]:
        note(f"{path.name}, line {line}: a quote may be missing, because one row spans {lines} lines.")
    filled = [row for row in read if row.text.strip()]
    if len(filled) < len(read):
        note(f"{path.name}: rows left out because they have no review: {len(read) - len(filled):,}.")
    if not filled:
        raise DataError(f"{path.name} has no reviews: its column of reviews is empty.")
    return filled


def without_repetitions(source: str, rows: Iterable[ReviewRow], note: NoteCallback = ignore_note) -> list[ReviewRow]:
    """Return the first row of each id; raises `DataError` if two different reviews have one id."""
    rows = list(rows)
    by_id: dict[str, ReviewRow] = {}
    for row in rows:
        if by_id.setdefault(row.id, row).text != row.text:
            raise DataError(
                f"{source}: two different reviews have the id {row.id[:80]!r}. If the column `id` identifies something "
                "else, rename it."
            )
    if len(by_id) < len(rows):
        note(f"{source}: repeated reviews left out: {len(rows) - len(by_id):,}.")
    return list(by_id.values())


def row_reader(names: Sequence[str], review: int) -> Callable[[Sequence[Any], str], ReviewRow]:
    """Return a function that reads a row from its cells and its review.

    `names` are those of the columns, empty without a header; `review` is the place of the column of reviews.
    """
    return partial(_row, _places(names, review))


def _places(names: Sequence[str], review: int) -> dict[str, int]:
    """Return the places of the columns with fixed names, other than that of the reviews."""
    fixed = {"id", "time", "verdict", "score", "release", "variant", "correction"}
    return {name: place for place, name in _named(names) if name in fixed and place != review}


def _named(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield each column's place, and its name without case and surrounding spaces."""
    yield from ((place, name.strip().lower()) for place, name in enumerate(names))


def _row(places: Mapping[str, int], cells: Sequence[Any], text: str) -> ReviewRow:
    """Return a row; an id and a score of unusual form count as missing."""
    stated = {name: str(cells[place]).strip() or None for name, place in places.items() if cells[place] is not None}
    score = stated.pop("score", None)
    return ReviewRow(stated.pop("id", None) or text_id(text), text, score=_probability(score), **stated)


def _probability(cell: str | None) -> float | None:
    """Return a cell as a probability; None if it is not one."""
    try:
        value = float(cell or "nan")
    except ValueError:
        return None
    return value if not math.isnan(value) and 0 <= value <= 1 else None
