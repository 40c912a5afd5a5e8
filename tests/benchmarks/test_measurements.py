"""Every benchmark, on as few rounds as it takes: that it measures what it says, never how long that took."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.httpsession import URLLib3Session
from rich.console import Console

from benchmarks import cold_start, handler, rows
from benchmarks.__main__ import Sizes, measure
from benchmarks.tutorial import word_columns
from chalicelib import release
from chalicelib.text import words

if TYPE_CHECKING:
    from simulator.server import LocalEndpoint

REVIEWS = ("A superb film, not a bad one at all.", "This movie is horrible.")


def test_rows_are_timed_and_weighed() -> None:
    encoder = release.load().encoder
    time_spent, size = rows.measure(REVIEWS, encoder, word_columns(encoder.vocabulary), rounds=2)
    assert len(time_spent.ours) == len(time_spent.theirs) == len(REVIEWS)
    assert set(size.theirs) == {9_999.0}
    assert size.ours == tuple(len(encoder.row(words(review))) for review in REVIEWS)


def test_handlers_are_timed_with_and_without_a_wire(local_endpoint: "LocalEndpoint") -> None:
    column_of = word_columns(release.load().encoder.vocabulary)
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


def test_a_release_is_loaded_in_a_process_of_its_own() -> None:
    assert cold_start.load_release(Path(release.__file__).parents[2]) > 0


def test_a_package_without_a_release_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"cannot be loaded: [^$]*No module named 'chalicelib'"):
        cold_start.load_release(tmp_path)


def test_everything_is_measured_and_told_in_one_run() -> None:
    console = Console(file=io.StringIO(), width=80)
    measure(console, Sizes(reviews=2, row_rounds=1, handler_rounds=1, cold_starts=1, requests=1))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    for limit in ("1.25", "1/6", "1/10", "1/2"):
        assert re.search(rf"≤ {limit} +(yes|no)", told), told
    assert re.search(r"Release loaded, ms: [\d.]+ \(least [\d.]+\); promised: at most 30; holds: (yes|no)", told), told
    assert re.search(r"The zip has \d\.\d\d MB; promised: under 3; holds: yes", told), told
