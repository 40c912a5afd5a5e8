"""The file of labels that `verdict label` writes: JSON lines, appended after every key.

Each line is an object with `id`, `review`, `label`, `note`, `labeller`, `labelled_at` (ISO 8601, UTC) and `order`, and
with what the source states about the review: `time`, `verdict`, `score`, `release`, `variant` and `correction`. The
last line of an id wins. An undone label is a line with the label "undone", so that nothing is ever overwritten.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any, Literal, get_args

from training import locks
from training.data.content import MAX_LINE_CHARACTERS, is_compressed, open_content
from training.data.labelled import NoteCallback, ignore_note
from training.data.reviews import DataError

Label = Literal["positive", "negative", "mixed", "not a review", "skipped"]
Order = Literal["random", "least-sure", "disagreements"]
LABELS: tuple[Label, ...] = get_args(Label)
ORDERS: tuple[Order, ...] = get_args(Order)
UNDONE = "undone"
_OPTIONAL: dict[str, Any] = {
    **dict.fromkeys(("time", "verdict", "release", "variant", "correction"), str | None),
    "score": float | int | None,
}
_BEGINNING = b'{"id"'
_REQUIRED = ("id", "review", "label", "note", "labeller", "labelled_at", "order")


@dataclass(frozen=True)
class HandLabel:
    """A person's label of one review; the fields after `order` are the source's, None if it does not state them.

    `order` is how the reviews were chosen: only a random order gives an unbiased estimate.
    """

    id: str
    review: str
    label: Label
    note: str
    labeller: str
    labelled_at: str
    order: Order
    time: str | None = None
    verdict: str | None = None
    score: float | None = None
    release: str | None = None
    variant: str | None = None
    correction: str | None = None

    def dumps(self) -> str:
        """Return the line of the file, without what the source does not state."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(values, ensure_ascii=False) + "\n"


_FIELDS = frozenset(field.name for field in fields(HandLabel))


def read_labels(path: Path, note: NoteCallback = ignore_note) -> list[HandLabel]:
    """Read the labels of a file, in the order of their first lines; the last line of an id wins.

    The file may be compressed with gzip. A last line that was not completely written is left out, and `note` gets a
    sentence about it. Raises `DataError` that names the first line that is not a label.
    """
    found: dict[str, HandLabel | None] = {}
    with open_content(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_CHARACTERS), b""), start=1):
            if len(line) == MAX_LINE_CHARACTERS:
                raise DataError(f"{path.name}, line {number} is too long for a label. Is this a file of labels?")
            if not line.endswith(b"\n") and is_cut(line, bool(found)):
                note(f"{path.name}: line {number} was not completely written, and is left out.")
            elif line.strip():
                identifier, label = _parse(f"{path.name}, line {number}", line)
                found[identifier] = label
    return [label for label in found.values() if label]


def is_cut(last_line: bytes, after_labels: bool) -> bool:
    """Return whether a last line without its end is the beginning of a label."""
    text = last_line.strip()
    if not text or not (after_labels or text.startswith(_BEGINNING[: len(text)])):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return True
    return False


def _parse(where: str, line: bytes) -> tuple[str, HandLabel | None]:
    """Return a line's id and label, None if it undoes one; raises `DataError` if it is not a label."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}. Is this a file of labels?") from error
    if not isinstance(values, dict) or not all(isinstance(values.get(name), str) for name in _REQUIRED):
        raise DataError(f"{where} is not a label: it needs {', '.join(_REQUIRED)}.")
    if values["label"] == UNDONE:
        return values["id"], None
    for name, known in (("label", LABELS), ("order", ORDERS)):
        if values[name] not in known:
            raise DataError(f"{where}: unknown {name} {values[name][:40]!r}. Known are: {', '.join(known)}.")
    for name in _OPTIONAL:
        if not isinstance(values.get(name), _OPTIONAL[name]):
            raise DataError(f"{where}: the {name} {str(values[name])[:40]!r} is of the wrong type.")
    return values["id"], HandLabel(**{name: value for name, value in values.items() if name in _FIELDS})


def undo_line(label: HandLabel) -> str:
    """Return the line that undoes a label."""
    return json.dumps({**json.loads(label.dumps()), "label": UNDONE}, ensure_ascii=False) + "\n"


class LabelsFile:
    """An open, locked file of labels: its labels so far, and appending to it."""

    def __init__(self, path: Path, file: IO[bytes], labels: Sequence[HandLabel]) -> None:
        self.path = path
        self.labels = list(labels)
        self._file = file

    def append(self, label: HandLabel) -> None:
        """Write a label to the disk before returning."""
        self._write(label.dumps())

    def undo(self, label: HandLabel) -> None:
        """Write to the disk that a label is undone."""
        self._write(undo_line(label))

    def _write(self, line: str) -> None:
        self._file.write(line.encode())
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def open_labels(path: Path, note: NoteCallback = ignore_note) -> Iterator[LabelsFile]:
    """Open a file of labels to append to, or create it; nobody else can open it until the block ends.

    A last line that was not completely written is removed, and `note` gets a sentence about it. Raises `DataError` if
    another program has the file open, or if it is not a file of labels; nothing is changed then.
    """
    if is_compressed(path):
        raise DataError(
            f"{path} cannot be compressed: every label is appended at once. Leave .gz out of the name given to --into."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        _lock(path, file)
        labels = read_labels(path, note)
        _end_last_line(path, file)
        yield LabelsFile(path, file, labels)


def _lock(path: Path, file: IO[Any]) -> None:
    """Lock an open file until it is closed; raises `DataError` if another program has locked it."""
    if not locks.lock(file.fileno()):
        raise DataError(
            f"{path} is in use: another `verdict label` is writing to it. Wait until it ends, or write to a file of "
            "your own with --into."
        )


def _end_last_line(path: Path, file: IO[bytes]) -> None:
    """End the last line of a file: complete it with a line break, or remove it if it is not a label."""
    content = path.read_bytes()
    start = content.rfind(b"\n") + 1
    if is_cut(content[start:], after_labels=start > 0):
        file.truncate(start)
    elif start < len(content):
        file.write(b"\n")
        file.flush()
