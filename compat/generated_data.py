"""Small generated data sets of the tutorial's shape: the label first, then word counts."""

import random
from collections.abc import Sequence
from pathlib import Path

Row = tuple[int, ...]  # the label, then a count for each word
WORDS = 20
_POSITIVE_WORDS = 10  # of a positive review; the others are of a negative one


def rows(count: int, seed: int) -> list[Row]:
    """Return labelled rows that a few trees separate almost without errors."""
    draw = random.Random(seed)
    return [_row(draw, number % 2) for number in range(count)]


def _row(draw: random.Random, label: int) -> Row:
    likely = range(_POSITIVE_WORDS) if label else range(_POSITIVE_WORDS, WORDS)
    return (label, *(draw.randint(1, 3) if word in likely else draw.randint(0, 1) for word in range(WORDS)))


def csv(labelled: Sequence[Row]) -> str:
    """Return csv lines without a header, the label first."""
    return "".join(",".join(map(str, row)) + "\n" for row in labelled)


def features(labelled: Sequence[Row]) -> str:
    """Return csv lines without labels, as an endpoint and a batch transform read them."""
    return csv([row[1:] for row in labelled])


def libsvm(labelled: Sequence[Row]) -> str:
    """Return libsvm lines; counts of 0 are left out."""
    return "".join(
        " ".join([str(label), *(f"{word}:{count}" for word, count in enumerate(counts) if count)]) + "\n"
        for label, *counts in labelled
    )


def write(folder: Path, name: str, text: str) -> str:
    """Write a file; returns its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def require_accurate(scores: Sequence[float], labelled: Sequence[Row], step: str) -> None:
    """Exit unless there is a score for each row, and at least nine of ten are on the side of the label."""
    if len(scores) != len(labelled):
        raise SystemExit(f"{step}: {len(scores)} scores were returned for {len(labelled)} rows.")
    right = sum((score > 0.5) == bool(row[0]) for score, row in zip(scores, labelled, strict=True))
    if right < 0.9 * len(labelled):
        raise SystemExit(f"{step}: only {right} of {len(labelled)} scores are on the side of the label.")
