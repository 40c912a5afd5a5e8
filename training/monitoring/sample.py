"""Samples of old and new reviews: read, dated, without repeated texts, and of a limited size."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.text import words
from training.data.review_rows import ReviewRow
from training.data.reviews import REVIEWS_NAME, DataError, digest_of, read, read_manifest

MIN_REVIEWS = 100
MAX_REVIEWS = 3_000  # of each side, so that a comparison takes seconds


class TooFewReviewsError(DataError):
    """There are too few reviews to distinguish drift from chance."""

    type = "too-few-reviews"
    title = "There are too few reviews"


@dataclass(frozen=True)
class Sample:
    """Reviews of one side.

    `total` counts the reviews it was drawn from, `digests` has a hash of each of these, and `repeated` counts the
    repeated texts that were left out.
    """

    name: str
    total: int
    repeated: int
    words: list[list[str]]  # of each review
    digests: frozenset[bytes] = frozenset()

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class Sides:
    """What is compared.

    `old_scored` are the old reviews whose scores are compared: reviews that the model was not trained on, as it is
    surer of those it was. `seen_in_training` states that there are none, so that they are `old`.
    """

    old: Sample
    new: Sample
    old_scored: Sample
    seen_in_training: bool = False


def sample_reviews(name: str, texts: Iterable[str], seed: int) -> Sample:
    """Draw up to `MAX_REVIEWS` reviews; the same texts give the same sample.

    Raises `TooFewReviewsError` below `MIN_REVIEWS` different reviews with words.
    """
    filled = [text for text in texts if text.strip()]
    by_digest = {digest_of(text): text for text in filled}
    different = list(by_digest.values())
    if len(different) < MIN_REVIEWS:
        raise TooFewReviewsError(
            f"{name} has {len(different):,} different reviews: too few to say whether there is drift. At least "
            f"{MIN_REVIEWS} are needed."
        )
    chosen = random.Random(seed).sample(different, min(len(different), MAX_REVIEWS))
    cleaned = [words(text) for text in chosen]
    return Sample(name, len(different), len(filled) - len(different), cleaned, frozenset(by_digest))


def training_samples(folder: Path, seed: int) -> tuple[Sample, Sample, bool]:
    """Return the samples of the training reviews and of reviews to compare scores with, and if the model saw these.

    The latter are the test reviews of a folder that `verdict data` wrote, if it has enough of them. Raises `DataError`
    if the folder is missing or was changed.
    """
    read_manifest(folder)
    texts: dict[str, list[str]] = {"train": [], "test": []}
    for review in read(folder / REVIEWS_NAME):
        texts[review.split].append(review.text)
    old = sample_reviews(f"{folder} (training reviews)", texts["train"], seed)
    try:
        return old, sample_reviews(f"{folder} (test reviews)", texts["test"], seed), False
    except TooFewReviewsError:
        return old, old, True


def rows_since(source: str, rows: Sequence[ReviewRow], since: datetime | None) -> list[ReviewRow]:
    """Return the rows from a time on, or all without one; a time without a zone is UTC.

    Raises `DataError` if a row has no time, or none that is ISO 8601.
    """
    if since is None:
        return list(rows)
    return [row for row in rows if _time_of(source, row) >= since]


def _time_of(source: str, row: ReviewRow) -> datetime:
    """Return the time of a row; raises `DataError` if it has none."""
    if row.time is None:
        raise DataError(f"{source}: the review {row.id[:20]} has no time. --since needs a column `time`.")
    try:
        time = datetime.fromisoformat(row.time)
    except ValueError as error:
        raise DataError(
            f"{source}: the time {row.time[:40]!r} is not ISO 8601, such as 2026-01-31T12:00:00Z."
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
