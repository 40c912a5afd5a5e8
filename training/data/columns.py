"""Rules for the separator, header and columns of a table of reviews; static/columns.js follows the same rules."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.data.reviews import DataError

SEPARATORS = (",", ";", "\t", "|")
WHOLE_LINE = "\x1f"  # a separator that does not occur: the whole line is one cell
REVIEW_NAMES = frozenset(
    {"review", "text", "comment", "content", "body", "sentence", "phrase", "reviewtext", "reviewbody", "reviewcontent"}
)  # after `normalized`
LABEL_NAMES = (frozenset({"label", "sentiment"}), frozenset({"rating", "star", "starrating", "score", "overall"}))
_CONSISTENT = 0.8  # of the sampled rows have as many cells as the first
_MAX_NAME_LENGTH = 40  # characters of a column name that is not known
_NOT_A_NAME = re.compile(r"[\d.!?,]|^\s*$")


@dataclass(frozen=True)
class ColumnChoice:
    """The columns that the user chose, each by name or by number from 1; None: the column with a known name."""

    review: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Columns:
    """The places of the columns in a row, and the names of all columns (None: the file has no header)."""

    review: int
    label: int
    names: Sequence[str] | None

    def describe(self, place: int) -> str:
        """Return a column's name, or its number from 1."""
        return f"column {self.names[place] if self.names else place + 1}"


def normalized(name: str) -> str:
    """Return a column name without case, spaces, punctuation and plural: `Review Texts` -> `reviewtext`."""
    return re.sub(r"[\W_]", "", name.lower()).removesuffix("s")


def _named(names: Sequence[str], known: frozenset[str]) -> list[int]:
    """Return the places of the columns with a known name."""
    return [place for place, name in enumerate(names) if normalized(name) in known]


def is_known_header(cells: Sequence[str]) -> bool:
    """Return whether a first row holds a known column name."""
    return any(_named(cells, known) for known in (REVIEW_NAMES, *LABEL_NAMES))


def may_be_header(cells: Sequence[str]) -> bool:
    """Return whether a first row could be a header of unknown names: short, without digits or sentence marks."""
    return all(
        len(cell) <= _MAX_NAME_LENGTH and not _NOT_A_NAME.search(cell) and len(cell.split(" ")) <= 3 for cell in cells
    )


def choose_separator(candidates: Sequence[str], rows_by: Callable[[str], Sequence[Sequence[str]]]) -> str:
    """Return the separator of a table; `rows_by(separator)` parses its first rows."""
    sampled = [(separator, rows_by(separator)) for separator in candidates]
    tables = [(separator, rows) for separator, rows in sampled if len(rows[0]) > 1]
    for separator, rows in tables:
        if _named(rows[0], REVIEW_NAMES):
            return separator
    if any(len(rows[0]) == 1 and is_known_header(rows[0]) for _, rows in sampled):
        return WHOLE_LINE
    regular = [(separator, rows) for separator, rows in tables if is_known_header(rows[0]) or _is_regular(rows)]
    return max(regular, key=lambda each: len(each[1][0]), default=(WHOLE_LINE, ()))[0]


def _is_regular(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether most rows have as many cells as the first."""
    return sum(len(row) == len(rows[0]) for row in rows) >= _CONSISTENT * len(rows)


def choose_columns(
    file: str, first: Sequence[str], is_header: bool, textual: set[int], choice: ColumnChoice
) -> Columns:
    """Return the columns of the reviews and the labels; raises `DataError` where they are not obvious.

    `first` is the first row. `textual` holds the places of the columns with letters below the header.
    """
    names = first if is_header else None
    _refuse_same_names(file, names or ())
    reviews = [place for place in _named(names or (), REVIEW_NAMES) if place in textual]
    review = _chosen(file, "review", choice.review, reviews, names, len(first))
    labels = next((found for known in LABEL_NAMES if (found := _named(names or (), known))), [])
    return Columns(review, _chosen(file, "label", choice.label, labels, names, len(first)), names)


def choose_review_column(
    file: str, first: Sequence[str], is_header: bool, textual: set[int], choice: str | None
) -> int:
    """Return the place of the column of reviews; the only column of a file may have any name.

    The arguments are those of `choose_columns`. Raises `DataError` where the column is not obvious.
    """
    names = first if is_header else None
    _refuse_same_names(file, names or ())
    known = [place for place in _named(names or (), REVIEW_NAMES) if place in textual]
    return _chosen(file, "review", choice, known or (sorted(textual) if len(first) == 1 else ()), names, len(first))


def _refuse_same_names(file: str, names: Sequence[str]) -> None:
    """Raise `DataError` if two columns have one name."""
    cleaned = [name.strip().lower() for name in names if name.strip()]
    for name in cleaned:
        if cleaned.count(name) > 1:
            raise DataError(f"{file} has two columns named {name}. Rename one of them.")


def _chosen(
    file: str, role: str, choice: str | None, known: Sequence[int], names: Sequence[str] | None, width: int
) -> int:
    """Return the place of the chosen column, or else of the only one with a known name."""
    listed = ", ".join(names)[:200] if names else f"1 to {width} (without names)"
    if choice is None:
        if len(known) == 1:
            return known[0]
        problem = "several columns may hold" if known else "no column is named like"
        raise DataError(f"{file}: {problem} the {role}s. Choose one with --{role}-column. The columns are {listed}.")
    if names:
        wanted = [place for place, name in enumerate(names) if normalized(name) == normalized(choice)]
        if len(wanted) == 1:
            return wanted[0]
    if choice.isdecimal() and 1 <= int(choice) <= width:
        return int(choice) - 1
    raise DataError(f"{file} has no column {choice}. The columns are {listed}.")
