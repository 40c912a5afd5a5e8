"""A labelling session: which review is next, what is labelled, and undo. It knows no terminal."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from training.data.hand_labels import LABELS, HandLabel, Label, Order
from training.data.review_rows import ReviewRow

Clock = Callable[[], datetime]


class LabelStore(Protocol):
    """Where labels are kept: a `LabelsFile`, or a fake in tests."""

    def append(self, label: HandLabel) -> None:
        """Store a label."""
        ...

    def undo(self, label: HandLabel) -> None:
        """Store that a label is undone."""
        ...


@dataclass(frozen=True)
class Progress:
    """The number of labelled reviews (skipped ones included), of all reviews, and of each label."""

    done: int
    total: int
    counts: dict[Label, int]


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class Session:
    """The reviews to label in their order; every answer is stored before the next review is current."""

    def __init__(
        self,
        rows: Sequence[ReviewRow],
        earlier: Iterable[HandLabel],
        store: LabelStore,
        labeller: str,
        order: Order,
        clock: Clock = utc_now,
    ) -> None:
        self.order = order
        self._labels = {label.id: label for label in earlier}
        self._rows = rows
        self._waiting = [row for row in reversed(rows) if row.id not in self._labels]  # the next one is last
        self._answered: list[ReviewRow] = []  # in this session
        self._store = store
        self._labeller = labeller
        self._clock = clock
        self._notes: dict[str, str] = {}  # id -> note

    @property
    def current(self) -> ReviewRow | None:
        """The review to label; None if all are labelled."""
        return self._waiting[-1] if self._waiting else None

    @property
    def note(self) -> str:
        """The note on the current review."""
        return self._notes.get(self._waiting[-1].id, "") if self._waiting else ""

    @property
    def progress(self) -> Progress:
        """The progress of all sessions with the same file."""
        labels = [self._labels[row.id].label for row in self._rows if row.id in self._labels]
        counts = Counter(labels)
        return Progress(len(labels), len(self._rows), {label: counts[label] for label in LABELS})

    def set_note(self, text: str) -> None:
        """Set the note on the current review; it is stored with the label."""
        if self._waiting:
            self._notes[self._waiting[-1].id] = text.strip()

    def answer(self, label: Label) -> HandLabel | None:
        """Store a label of the current review, and go on to the next; returns None if all are labelled."""
        if not self._waiting:
            return None
        row = self._waiting[-1]
        given = hand_label(row, label, self.note, self._labeller, self._clock(), self.order)
        self._store.append(given)
        self._labels[row.id] = given
        self._answered.append(self._waiting.pop())
        return given

    def undo(self) -> HandLabel | None:
        """Undo the last label of this session and return it: its review is current again, with its note."""
        if not self._answered:
            return None
        row = self._answered[-1]
        undone = self._labels[row.id]
        self._store.undo(undone)
        del self._labels[row.id]
        self._waiting.append(self._answered.pop())
        return undone


def hand_label(row: ReviewRow, label: Label, note: str, labeller: str, time: datetime, order: Order) -> HandLabel:
    """Return the label of a review, with what the source states about it."""
    return HandLabel(
        id=row.id,
        review=row.text,
        label=label,
        note=note,
        labeller=labeller,
        labelled_at=time.astimezone(UTC).isoformat(timespec="seconds"),
        order=order,
        time=row.time,
        verdict=row.verdict,
        score=row.score,
        release=row.release,
        variant=row.variant,
        correction=row.correction,
    )
