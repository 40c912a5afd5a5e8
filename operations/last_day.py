"""A stage's verdicts of the last day, beside those on the training reviews.

It needs no text of any review: the app reports labels and known words of its verdicts as metrics. The training figures
are out-of-fold, those of a model on reviews that it was not trained on, from the report of the packaged release.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import release
from operations.aws.account import Account
from operations.aws.errors import translate_client_error
from operations.verdict_metrics import LABELS, VerdictFigures, read
from training.evaluation.evaluate import HELD_OUT
from training.evaluation.packaged_model import FIGURES_NAME, MODEL_FOLDER
from training.evaluation.thresholds import WARNED_SHARE

DAY = timedelta(days=1)


@dataclass(frozen=True)
class TrainingFigures:
    """The share of each label among the training reviews (0..1), and the share of known words that few are below."""

    shares: dict[str, float]
    few_known_words: float


@dataclass(frozen=True)
class LastDay:
    """A stage's verdicts of the last day, None if there were none; or `unread`, why they could not be read."""

    figures: VerdictFigures | None
    unread: str = ""


def training_figures(folder: Path = MODEL_FOLDER) -> TrainingFigures | None:
    """Read the figures of the packaged release's report; None without a readable report of it."""
    try:
        report = json.loads((folder / FIGURES_NAME).read_text(encoding="utf-8"))
        return _figures(report) if report["model_sha256"] == release.load().facts.model_sha256 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _figures(report: dict[str, Any]) -> TrainingFigures:
    """Return the shares of labels; sure ones are divided as the bins of the histogram that are outside the band."""
    figures, (low, high) = report["asked"][HELD_OUT], report["not_sure_band"]
    counts = [sum(pair) for pair in zip(*figures["histogram"].values(), strict=True)]
    edges = [(number / len(counts), (number + 1) / len(counts)) for number in range(len(counts))]
    positive = sum(count for count, (start, _) in zip(counts, edges, strict=True) if start >= high - 1e-9)
    negative = sum(count for count, (_, end) in zip(counts, edges, strict=True) if end <= low + 1e-9)
    sure, outside = figures["answered"], max(positive + negative, 1)
    shares = (sure * positive / outside, sure * negative / outside, 1 - sure)
    return TrainingFigures(dict(zip(LABELS, shares, strict=True)), float(report["few_known_words"]))


def read_last_day(account: Account, stage: str, now: datetime) -> LastDay:
    """Read a stage's verdicts of the last day. A denied read is recorded; other errors are raised."""
    try:
        return LastDay(read(account, stage, now - DAY, now))
    except ClientError as error:
        refusal = translate_client_error(error)
        if refusal.kind != "no-permission":
            raise
        return LastDay(None, refusal.detail)


def lines(found: LastDay, training: TrainingFigures | None) -> Iterator[str]:
    """Yield lines about the last day, each figure followed by that of the training reviews."""
    if found.unread:
        yield f"  ! The verdicts of the last day could not be read: {found.unread}"
        return
    if not found.figures:
        yield "  no verdict in the last day"
        return
    stated = [
        f"{label.replace('_', ' ')} {share:.1%}{f' ({training.shares[label]:.1%})' if training else ''}"
        for label, share in found.figures.shares.items()
    ]
    usual = f" ({1 - WARNED_SHARE:.1%} of reviews: {training.few_known_words:.0%} or more)" if training else ""
    heading = "in the last day (and on the training reviews)" if training else "in the last day"
    yield f"  {found.figures.verdicts:,} verdicts {heading}: {', '.join(stated)}"
    yield f"    known words {found.figures.known_words:.1%}{usual}"


def document(found: LastDay, training: TrainingFigures | None) -> dict[str, Any]:
    """Return the last day as JSON data; figures without a verdict are null."""
    figures = found.figures
    return {
        "unread": found.unread or None,
        "verdicts": None if found.unread else figures.verdicts if figures else 0,
        **{label: figures.shares[label] if figures else None for label in LABELS},
        "known_words": figures.known_words if figures else None,
        "training": {**training.shares, "few_known_words": training.few_known_words} if training else None,
    }
