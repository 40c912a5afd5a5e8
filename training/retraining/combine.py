"""New reviews split into those to train on and those to judge on, and joined with the old data.

The hash of its text decides where a new review belongs, so a review that has judged one model never trains a later
one. A new review trains with more lines than an old one while it is fresh.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from training.checking.new_reviews import NewReview, require_both_labels, time_of
from training.data.labelled import NoteCallback, ignore_note
from training.data.review_rows import text_id
from training.data.reviews import (
    REVIEWS_NAME,
    SHORT_TEXTS_NAME,
    UNLABELLED_NAME,
    DataError,
    Manifest,
    Review,
    digest_of,
    read,
    read_manifest,
    read_short_texts,
    read_unlabelled,
    write,
)
from training.features.prepare import REVIEW_LINES

JUDGED_EVERY = 3  # of three new reviews, two train and one judges
MIN_JUDGED = 30  # below, no gate can decide
FRESH = (timedelta(days=90), 4), (timedelta(days=365), 3)  # age below the newest review -> lines in a train channel


@dataclass(frozen=True)
class NewSplit:
    """New reviews to train on, and others to judge the retrained model on."""

    training: list[NewReview]
    judged: list[NewReview]


def split_new(reviews: Sequence[NewReview], data_folder: Path, note: NoteCallback = ignore_note) -> NewSplit:
    """Split new reviews; those whose text is in the old data are left out, and `note` gets their number.

    Raises `DataError` if too few are left to judge on, or only of one label.
    """
    old = {review.text_digest for review in read(data_folder / REVIEWS_NAME)}
    new = [review for review in reviews if digest_of(review.text) not in old]
    if known := len(reviews) - len(new):
        note(f"New reviews that are in the old data already, and are left out: {known:,}.")
    split = NewSplit([each for each in new if not _judges(each)], [each for each in new if _judges(each)])
    if reviews and not split.training:
        raise DataError(
            f"None of the {len(reviews):,} new reviews is left to train on: {len(reviews) - len(new):,} are in "
            f"{data_folder} already, and the others are held out to judge on. Label other reviews."
        )
    require_both_labels(new)
    if len(split.judged) < MIN_JUDGED:
        raise DataError(
            f"{len(new):,} new reviews are too few: {len(split.judged):,} are held out to judge on, and at least "
            f"{MIN_JUDGED} are needed. Label about {JUDGED_EVERY * (MIN_JUDGED - len(split.judged))} more."
        )
    require_both_labels(split.training, " to train on")
    require_both_labels(split.judged, " to judge on")
    return split


def _judges(review: NewReview) -> bool:
    """Return whether a review is one to judge on, by its text."""
    digest = hashlib.sha256(digest_of(review.text)).digest()
    return int.from_bytes(digest[:8]) % JUDGED_EVERY == 0


def write_combined(data_folder: Path, new: Sequence[NewReview], folder: Path) -> Manifest:
    """Write the old data with new training reviews into a folder; raises `DataError` for changed old data."""
    manifest = read_manifest(data_folder)
    old = list(read(data_folder / REVIEWS_NAME))
    first = 1 + max(review.number for review in old if review.split == "train")
    added = [_weighted(review, first + place, new) for place, review in enumerate(new)]
    unlabelled, short_texts = data_folder / UNLABELLED_NAME, data_folder / SHORT_TEXTS_NAME
    return write(
        folder,
        [*old, *added],
        f"{manifest.source}, {len(added):,} new reviews",
        read_unlabelled(unlabelled) if unlabelled.exists() else (),
        read_short_texts(short_texts) if short_texts.exists() else (),
    )


def _weighted(review: NewReview, number: int, new: Sequence[NewReview]) -> Review:
    """Return a new review as a training review, a group of its own, with lines by its age."""
    group = f"new-{text_id(review.text)[:16]}"
    return Review("train", number, review.label, None, review.text, group, lines_of(review, new))


def lines_of(review: NewReview, new: Sequence[NewReview]) -> int:
    """Return the lines of a new review in a train channel: more for one of the last 90 or 365 days.

    Ages count from the newest review, so the same files always give the same lines. A review without a time is old.
    """
    when = time_of(review.source)
    if when is None:
        return REVIEW_LINES
    newest = max(time.timestamp() for each in new if (time := time_of(each.source)))
    age = timedelta(seconds=newest - when.timestamp())
    return next((lines for limit, lines in FRESH if age <= limit), REVIEW_LINES)
