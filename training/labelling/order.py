"""The order in which reviews are labelled."""

import hashlib
from collections.abc import Callable, Sequence

from training.data.hand_labels import Order
from training.data.review_rows import ReviewRow
from training.data.reviews import DataError

Score = Callable[[Sequence[str]], Sequence[float]]  # texts -> the probability of positive (0..1) of each

MEANINGS: dict[Order, str] = {
    "random": "a random sample, so the labels give an unbiased estimate of the accuracy",
    "least-sure": "the least sure first, so the labels do not give an estimate of the accuracy",
    "disagreements": "corrected verdicts only, so the labels do not give an estimate of the accuracy",
}


def in_order(rows: Sequence[ReviewRow], order: Order, score: Score) -> list[ReviewRow]:
    """Return the rows to label, in this order.

    "random" is a fixed random order: it is the same for every labeller, and a resumed session continues it.
    "least-sure" begins with the scores next to 0.5; `score` is called if the source does not state them. Raises
    `DataError` if there are no "disagreements".
    """
    shuffled = sorted(rows, key=_random_key)
    if order == "least-sure":
        scores = _scores(shuffled, score)
        return [row for _, row in sorted(zip(scores, shuffled, strict=True), key=lambda pair: abs(pair[0] - 0.5))]
    if order == "disagreements":
        disputed = [row for row in shuffled if row.is_disputed]
        if not disputed:
            raise DataError(
                "No review has a correction that differs from its verdict. The order `disagreements` needs the columns "
                "verdict and correction, as in an export of feedback."
            )
        return disputed
    return shuffled


def _random_key(row: ReviewRow) -> bytes:
    """Return a random number that depends on the review's id only."""
    return hashlib.blake2b(row.id.encode(), digest_size=8, person=b"label order").digest()


def _scores(rows: Sequence[ReviewRow], score: Score) -> Sequence[float]:
    """Return the source's scores if it has one for every review that is not just 0 or 1, or else the model's."""
    stated = [row.score for row in rows if row.score is not None]
    if len(stated) == len(rows) and not set(stated) <= {0.0, 1.0}:
        return stated
    return score([row.text for row in rows])
