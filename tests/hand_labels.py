"""Reviews and labels for the tests of labelling."""

from datetime import UTC, datetime

from training.data.hand_labels import HandLabel, Label
from training.data.review_rows import ReviewRow

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class ListStore:
    """A store of labels in memory: (what happened, the label)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, HandLabel]] = []

    def append(self, label: HandLabel) -> None:
        self.events.append(("append", label))

    def undo(self, label: HandLabel) -> None:
        self.events.append(("undo", label))


def label_of(identifier: str, label: Label, labeller: str = "ann", note: str = "") -> HandLabel:
    return HandLabel(identifier, f"Review {identifier}.", label, note, labeller, NOW.isoformat(), "random")


def review_rows(count: int) -> list[ReviewRow]:
    return [ReviewRow(str(number), f"Review {number}.") for number in range(count)]
