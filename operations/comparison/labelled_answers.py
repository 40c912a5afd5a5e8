"""Answers of the app with what came back: their reader from a file, and the outcomes that they give.

An answer is right if its score is on the side of its label, as in the release's accuracy. Answers without a label, and
those labelled "mixed", are neither right nor wrong. Labels that users send with their feedback are compared between
variants, but are not the variants' accuracy, because users rather send what was wrong. Labels of a random sample are.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from chalicelib.errors import SentimentError
from chalicelib.sentiment import NEGATIVE, POSITIVE
from operations.comparison.confidence_sequence import Outcomes

SAMPLE, FEEDBACK = "sample", "feedback"  # sources
LABELS = (POSITIVE, NEGATIVE)
_JSON_LINES = (".jsonl", ".ndjson")


class FeedbackFileError(SentimentError):
    """A feedback or sample file that cannot be read."""

    type = "invalid-feedback-file"
    title = "The file cannot be used"


class FeedbackRecord(Protocol):
    """A stored answer, as the feedback table has it; see `Answer`."""

    @property
    def time(self) -> str:
        """When it was given, ISO 8601 in UTC."""
        ...

    @property
    def review(self) -> str:
        """The review."""
        ...

    @property
    def score(self) -> float:
        """The probability of positive, 0..1."""
        ...

    @property
    def variant(self) -> str:
        """The variant that computed the score."""
        ...

    @property
    def correction(self) -> str:
        """ "positive", "negative", "mixed", or "" if there is none."""
        ...

    @property
    def source(self) -> str:
        """ "feedback" if a user sent it, "sample" if it was sampled at random."""
        ...


@dataclass(frozen=True)
class Answer:
    """An answer from a file. `time` is ISO 8601 in UTC, `score` 0..1, and `correction` "" if there is none."""

    time: str
    review: str
    score: float
    variant: str
    correction: str
    source: str


def has_label(record: FeedbackRecord) -> bool:
    """Return whether a record's correction is a label that a score can be compared with."""
    return record.correction in LABELS


def is_right(score: float, label: str) -> bool:
    """Return whether a score is on the side of a label; a score of one half counts as positive."""
    return (score >= 0.5) == (label == POSITIVE)


def outcomes_of(records: Iterable[FeedbackRecord], variant: str) -> Outcomes:
    """Return how many of a variant's labelled answers are right."""
    right = [is_right(record.score, record.correction) for record in records if record.variant == variant]
    return Outcomes(sum(right), len(right))


def labels_of(records: Iterable[FeedbackRecord]) -> dict[str, int]:
    """Return the number of records with each label."""
    counts = Counter(record.correction for record in records if has_label(record))
    return {label: counts[label] for label in LABELS}


def read_answers(path: Path) -> list[Answer]:
    """Read an export of the feedback table, CSV or JSON lines; raises `FeedbackFileError` that names the line."""
    names = [field.name for field in fields(Answer)]
    return [_answer(path, line, row, names) for line, row in _rows(path)]


def read_reviews(path: Path) -> list[str]:
    """Read the reviews of a sample: the column `review` of CSV or JSON lines, or the lines of any other file.

    Blank reviews are left out. Raises `FeedbackFileError` if a row has no review.
    """
    if path.suffix.lower() not in (".csv", *_JSON_LINES):
        reviews = _text(path).splitlines()
    else:
        reviews = [str(_column(path, line, row, "review")) for line, row in _rows(path)]
    return [review for review in reviews if review.strip()]


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line, row) for each row of a file."""
    text = _text(path)
    if path.suffix.lower() in _JSON_LINES:
        yield from _json_rows(path, text.split("\n"))
        return
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        yield reader.line_num, row


def _json_rows(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line, object) for each line that is not blank; raises `FeedbackFileError`."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FeedbackFileError(f"{path.name}, line {number}: not JSON: {error}.") from error
        if not isinstance(row, dict):
            raise FeedbackFileError(f"{path.name}, line {number}: not a JSON object.")
        yield number, row


def _text(path: Path) -> str:
    """Return a file's text; raises `FeedbackFileError` unless it is UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedbackFileError(f"{path.name} is not UTF-8 text.") from error


def _column(path: Path, line: int, row: Mapping[str, Any], name: str) -> Any:
    """Return a column of a row; raises `FeedbackFileError` if the row has no such column."""
    if row.get(name) is None:
        raise FeedbackFileError(f"{path.name}, line {line}: there is no column {name!r}.")
    return row[name]


def _answer(path: Path, line: int, row: Mapping[str, Any], names: Sequence[str]) -> Answer:
    """Convert a row to an answer; raises `FeedbackFileError`."""
    cells = {name: _column(path, line, row, name) for name in names}
    try:
        score = float(cells.pop("score"))
    except (TypeError, ValueError):
        score = -1.0
    if not 0 <= score <= 1:
        raise FeedbackFileError(f"{path.name}, line {line}: the score {row['score']!r} is not a number from 0 to 1.")
    return Answer(score=score, **{name: str(cell) for name, cell in cells.items()})
