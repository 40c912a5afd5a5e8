"""Every benchmark, on as few rounds as it takes: that it measures what it says, never how long that took."""

import io
import re
from typing import TYPE_CHECKING

import pytest
from botocore.httpsession import URLLib3Session
from rich.console import Console

from benchmarks import handler, rows
from benchmarks.__main__ import Sizes, measure
from benchmarks.tutorial import word_columns
from chalicelib import release

if TYPE_CHECKING:
    from training.simulator.server import LocalEndpoint

REVIEWS = ("A superb film, not a bad one at all.", "This movie is horrible.")


def test_rows_are_timed_and_weighed() -> None:
    vocabulary = release.load().vocabulary
    time_spent, size = rows.measure(REVIEWS, vocabulary, word_columns(vocabulary), rounds=2)
    assert len(time_spent.ours) == len(time_spent.theirs) == len(REVIEWS)
    assert set(size.theirs) == {9_999.0}
    assert max(size.ours) < 200


def test_handlers_are_timed_with_and_without_a_wire(local_endpoint: "LocalEndpoint") -> None:
    column_of = word_columns(release.load().vocabulary)
    before = local_endpoint.requests
    around, whole = handler.measure(REVIEWS, column_of, local_endpoint, rounds=3)
    assert local_endpoint.requests - before == 2 * (2 + 3)  # what warms them, and the whole round trips
    assert all(len(each) == 3 for each in (around.ours, around.theirs, whole.ours, whole.theirs))


def test_the_wire_is_there_again_afterwards() -> None:
    send = URLLib3Session.send
    with handler.answered_at_once():
        assert URLLib3Session.send is not send
    assert URLLib3Session.send is send


def test_a_handler_that_fails_is_not_timed(local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.misbehave("validation")
    with pytest.raises(RuntimeError, match="answered 503"):
        handler.measure(REVIEWS, {}, local_endpoint, rounds=1)


def test_everything_is_measured_and_told_in_one_run() -> None:
    console = Console(file=io.StringIO(), width=80)
    measure(console, Sizes(reviews=2, row_rounds=1, handler_rounds=1, cold_starts=1, requests=1))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    for limit in ("1/3", "1/6", "1/10", "1.25", "1/2"):
        assert re.search(rf"≤ {limit} +(yes|no)", told), told
    assert re.search(r"The zip has 0\.\d\d MB", told)
