"""Every benchmark, with few rounds: that it measures the right thing, whatever the times are."""

import io
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.httpsession import URLLib3Session
from rich.console import Console

from benchmarks import cold_start, handler, local_server, rows
from benchmarks.__main__ import Repetitions, measure, table_of
from benchmarks.comparison import Comparison
from benchmarks.tutorial import word_columns
from chalicelib import release
from chalicelib.text import words

if TYPE_CHECKING:
    from simulator.endpoint.local_endpoint import LocalEndpoint

SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[-1])), Handler).serve_forever()
"""
REVIEWS = ("A superb film, not a bad one at all.", "This movie is horrible.")


def test_rows_have_times_and_sizes() -> None:
    encoder = release.load().encoder
    time_spent, size = rows.measure(REVIEWS, encoder, word_columns(encoder.vocabulary), rounds=2)
    assert len(time_spent.ours) == len(time_spent.theirs) == len(REVIEWS)
    assert set(size.theirs) == {9_999.0}
    assert size.ours == tuple(len(encoder.row(words(review))) for review in REVIEWS)


def test_handlers_are_timed_with_and_without_a_network(local_endpoint: "LocalEndpoint") -> None:
    column_of = word_columns(release.load().encoder.vocabulary)
    before = local_endpoint.requests
    own, round_trip = handler.measure(REVIEWS, column_of, local_endpoint, rounds=3)
    assert local_endpoint.requests - before == 2 * (2 + 3)  # the warm-up and the round trips
    assert all(len(each) == 3 for each in (own.ours, own.theirs, round_trip.ours, round_trip.theirs))


def test_the_network_is_restored_afterwards() -> None:
    send = URLLib3Session.send
    with handler.stubbed_network():
        assert URLLib3Session.send is not send
    assert URLLib3Session.send is send


def test_a_handler_that_fails_is_not_timed(local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.inject_fault("validation")
    with pytest.raises(RuntimeError, match="returned 503"):
        handler.measure(REVIEWS, {}, local_endpoint, rounds=1)


def test_a_release_is_loaded_in_a_new_process() -> None:
    assert cold_start.load_release(Path(release.__file__).parents[2]) > 0


def test_a_package_without_a_release_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"cannot be loaded: [^$]*No module named 'chalicelib'"):
        cold_start.load_release(tmp_path)


@pytest.fixture
def ignored_interrupts() -> Iterator[None]:
    """Ignore SIGINT, as a shell does for its background jobs; child processes inherit that."""
    handler_before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, handler_before)


@pytest.mark.usefixtures("ignored_interrupts")
def test_servers_are_stopped_although_interrupts_are_ignored() -> None:
    with local_server.serving((sys.executable, "-c", SERVER)) as port, local_server.connection(port) as connection:
        connection.connect()
    with pytest.raises(ConnectionRefusedError), local_server.connection(port) as connection:
        connection.connect()


def test_a_server_that_ends_at_once_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="does not respond"), local_server.serving((sys.executable, "-c", "")):
        pass


@pytest.mark.parametrize(("limit", "text"), [(1.25, "0.8x"), (1 / 6, "6x"), (1 / 10, "10x"), (1 / 2, "2x")])
def test_tables_state_gains_limits_and_whether_they_are_met(limit: float, text: str) -> None:
    comparisons = [
        Comparison("within", "ms", (limit,), (1.0,), limit),
        Comparison("beyond", "ms", (limit * 1.2,), (1.0,), limit),
    ]
    console = Console(file=io.StringIO(), width=80)
    console.print(table_of("Title", "other", comparisons))
    within, beyond = console.file.getvalue().splitlines()[-2:]  # type: ignore[attr-defined]
    assert within.split()[-4:] == [text, "≥", text, "yes"]
    assert beyond.split()[-3:] == ["≥", text, "no"]


def test_all_measurements_are_printed_in_one_run() -> None:
    console = Console(file=io.StringIO(), width=80)
    measure(
        console, Repetitions(reviews=2, row_rounds=1, handler_rounds=1, explained_rounds=1, cold_starts=1, requests=1)
    )
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    figures = {
        line.split(",")[0]: line
        for line in printed.splitlines()
        if re.search(r", (?:ms|bytes) +[\d.,]+ +[\d.,]+ ", line)
    }
    assert list(figures) == [
        "review to row",
        "row",
        "handler without the call",
        "handler and local endpoint",
        "explained",
        "cold start to first response",
        "processor time of the start",
        "kept connection",
        "kept or new connection",
    ]
    assert re.search(r"Release loaded, ms: [\d.]+ \(least [\d.]+\); limit: at most 30", printed)
    assert re.search(r"The zip has \d\.\d\d MB; limit: under 3; met: yes", printed)
