"""Sampling of traffic: a share of all judged reviews is stored, without delaying or failing an answer.

The response does not wait for the thread that writes. Lambda may pause the thread with the function after the response;
it then continues with the next request, or is lost with the function. A failure is one line in the log.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chalicelib import feedback
from chalicelib.errors import FeedbackNotKeptError
from chalicelib.feedback import Collection
from chalicelib.sentiment import PredictResponse, Verdict
from chalicelib.text import cut

Item = dict[str, dict[str, str]]


def choose(
    reviews: Sequence[object],
    predicted: PredictResponse,
    release_id: str,
    collection: Collection,
    draw: Callable[[], float] = random.random,
    now: Callable[[], float] = time.time,
) -> list[Item]:
    """Return the items of a request to store; `draw` returns a random number, 0..1, for each verdict."""
    items = _items(reviews, predicted, release_id, collection, now())
    return [item for item in items if draw() < collection.share]


def _items(
    reviews: Sequence[object], predicted: PredictResponse, release_id: str, collection: Collection, now: float
) -> Iterator[Item]:
    """Yield the item of each verdict."""
    for review, outcome in zip(reviews, predicted.outcomes, strict=True):
        if isinstance(outcome, Verdict) and isinstance(review, str):
            given = feedback.answer(review, outcome.label, outcome.score, release_id, predicted.variant)
            read = cut(review)
            yield feedback.record(given, read, "", feedback.SAMPLE, collection.days, now)


def store(
    items: Sequence[Item],
    table: str,
    connect: Callable[[], Any],
    report: Callable[[int, int, str], None],
    thread_class: type[threading.Thread] = threading.Thread,
) -> threading.Thread | None:
    """Write items in a thread; returns it, None if there are no items, or if no thread can start.

    `connect` returns the client; `report` receives the numbers of stored and failed items, and the cause of the last
    failure.
    """
    if not items:
        return None
    thread = thread_class(target=_write, args=(items, table, connect, report), daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the process has too many threads
        report(0, len(items), type(error).__name__)
        return None
    return thread


def _write(
    items: Sequence[Item], table: str, connect: Callable[[], Any], report: Callable[[int, int, str], None]
) -> None:
    """Write items one by one, and report the result."""
    failed, cause = 0, ""
    for item in items:
        try:
            feedback.put(connect(), table, item)
        except FeedbackNotKeptError as error:
            failed, cause = failed + 1, error.cause
    report(len(items) - failed, failed, cause)
