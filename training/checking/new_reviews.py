"""Newly labelled reviews: hand labels, an export of feedback with corrections, or any labelled table.

Mixed, skipped and unlabelled reviews are left out, since the model has two labels.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from training.data.columns import ColumnChoice, normalized
from training.data.content import MAX_LINE_CHARACTERS, format_ending, open_content
from training.data.hand_labels import HandLabel, is_cut, read_labels
from training.data.labelled import KNOWN_NAMES, NoteCallback, ignore_note, open_labelled
from training.data.review_rows import ReviewRow, row_reader, text_id
from training.data.reviews import LABEL_NAMES, DataError, Review
from training.data.table_rows import first_row
from training.data.tables import open_table

CORRECTION = "correction"
UNKNOWN = "unknown"  # week, release or variant


@dataclass(frozen=True)
class NewReview:
    """A labelled review (1: positive), with what its source states about it; `source` has None where it does not.

    `is_random` is whether it was labelled in a random order: other orders choose reviews that the model may get wrong.
    """

    label: int
    source: ReviewRow
    is_random: bool = True

    @property
    def text(self) -> str:
        """The review."""
        return self.source.text

    @property
    def week(self) -> str:
        """The ISO week in which the review was sent: `2026-W48`."""
        when = time_of(self.source)
        return f"{when.isocalendar().year}-W{when.isocalendar().week:02}" if when else UNKNOWN

    def as_review(self, number: int, movie: str | None = None) -> Review:
        """Return the review as a training review."""
        return Review("train", number, self.label, None, self.text, movie)


def time_of(row: ReviewRow) -> datetime | None:
    """Return the time that a row states, None if it states none that is ISO 8601."""
    try:
        return datetime.fromisoformat(row.time) if row.time else None
    except ValueError:
        return None


def read_new_reviews(
    paths: Sequence[Path], choice: ColumnChoice = KNOWN_NAMES, note: NoteCallback = ignore_note
) -> list[NewReview]:
    """Read the labelled reviews of files, each text once; raises `DataError` for two labels of one text.

    `note` gets sentences about what was read and left out.
    """
    found: dict[str, NewReview] = {}
    repeated = 0
    for path in paths:
        for review in _read(path, choice, note):
            earlier = found.setdefault(text_id(review.text), review)
            repeated += earlier is not review
            if earlier.label != review.label:
                raise DataError(
                    f"{path.name}: one review is labelled both positive and negative: {review.text[:80]!r}. Decide on "
                    "one label; `verdict label --compare` lists all differences."
                )
    if not found:
        raise DataError("There are no labelled reviews: every row is mixed, skipped, incomplete or without a label.")
    if repeated:
        note(f"{repeated:,} repeated reviews are counted once.")
    return list(found.values())


def require_both_labels(reviews: Sequence[NewReview], purpose: str = "") -> None:
    """Raise `DataError` if all reviews have the same label."""
    labels = {review.label for review in reviews}
    if len(labels) == 1:
        only = labels.pop()
        raise DataError(
            f"All {len(reviews):,} new reviews{purpose} are {LABEL_NAMES[only]}, and both labels are needed. "
            f"Label some {LABEL_NAMES[1 - only]} reviews too."
        )


def _read(path: Path, choice: ColumnChoice, note: NoteCallback) -> list[NewReview]:
    """Read one file."""
    if _is_hand_labels(path):
        return _of_hand_labels(path, note)
    if choice.label is None and CORRECTION in _columns(path):
        choice = replace(choice, label=CORRECTION)
        note(f"{path.name}: people's corrections are taken as labels. Label by hand for an unbiased estimate.")
    labelled = open_labelled(path, choice, note)
    read_row = row_reader(labelled.names, labelled.columns.review)
    rows = ((review, record) for review, record in labelled.rows() if review.text.strip())
    return [NewReview(review.label, read_row(record.cells, review.text)) for review, record in rows]


def _is_hand_labels(path: Path) -> bool:
    """Return whether a file was written by `verdict label`."""
    if format_ending(path) != ".jsonl":
        return False
    with open_content(path) as file:
        line = file.readline(MAX_LINE_CHARACTERS)
    try:
        first = json.loads(line or b"{}")
    except (ValueError, RecursionError):
        return not line.endswith(b"\n") and is_cut(line, after_labels=False)
    return isinstance(first, dict) and "labelled_at" in first


def _columns(path: Path) -> set[str]:
    """Return the names of a table's columns."""
    table = open_table(path)
    return {normalized(str(name)) for name in (table.keys if table.kind == "json" else first_row(table))}


def _of_hand_labels(path: Path, note: NoteCallback) -> list[NewReview]:
    """Read the positive and negative reviews of a file of hand labels."""
    labels = read_labels(path, note)
    others = Counter(label.label for label in labels if label.label not in LABEL_NAMES)
    if others:
        listed = ", ".join(f"{count:,} {name}" for name, count in sorted(others.items()))
        note(f"{path.name}: left out are {listed}.")
    return [
        NewReview(LABEL_NAMES.index(label.label), _row_of(label), label.order == "random")
        for label in labels
        if label.label in LABEL_NAMES
    ]


def _row_of(label: HandLabel) -> ReviewRow:
    """Return the source of a hand label."""
    return ReviewRow(
        label.id, label.review, label.time, label.verdict, label.score, label.release, label.variant, label.correction
    )
