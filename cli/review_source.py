"""Sources of reviews for `verdict label` and `verdict drift`: a file, or the collected feedback."""

from pathlib import Path

from training.data.labelled import NoteCallback, ignore_note
from training.data.review_rows import ReviewRow, read_review_rows
from training.data.reviews import DataError

FEEDBACK = "feedback"


def read_source(name: str, review_column: str | None = None, note: NoteCallback = ignore_note) -> list[ReviewRow]:
    """Read the reviews of a source: `feedback`, or the path of a file; raises `DataError` if there are none."""
    path = Path(name)
    if path.is_file():
        return read_review_rows(path, review_column, note)
    if name == FEEDBACK:
        raise DataError("Export the feedback first: `verdict feedback export FILE`. Then use that file.")
    if path.is_dir():
        raise DataError(f"{path} is a folder. Name a .csv, .tsv, .jsonl or .txt file of reviews.")
    raise DataError(f"There is no file {path}.")
