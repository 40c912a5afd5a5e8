"""What `make run` starts beside plain `chalice local`: one small request after another on a kept connection.

Plain `chalice local` sends headers and body apart and stalls on every kept connection, for some 40 ms, until the client
acknowledges the headers (see `devserver.chalice_local`). A fresh connection, which never stalls, is shown beside.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.comparison import Comparison, in_turns
from simulator.listener import LOOPBACK

LARGEST_RATIO = 1 / 2  # the stall is most of a plain request
LONGEST_START_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1
PATH = "/health"
PROJECT = Path(__file__).parents[1]
MAKE_RUN = (sys.executable, "-m", "cli.main", "run")
CHALICE_LOCAL = (str(Path(sys.executable).with_name("chalice")), "local", "--stage", "dev", "--no-autoreload")


def measure(rounds: int) -> list[Comparison]:
    """Start both servers and ask them in turns; milliseconds a request."""
    with ExitStack() as running:
        ours, theirs = (running.enter_context(serving(command)) for command in (MAKE_RUN, CHALICE_LOCAL))
        kept_ours, kept_theirs = (running.enter_context(connection(port)) for port in (ours, theirs))
        contestants = {
            "ours": lambda: _milliseconds(kept_ours),
            "theirs": lambda: _milliseconds(kept_theirs),
            "fresh": lambda: _milliseconds_fresh(ours),
        }
        in_turns(contestants, 3)  # a new connection does not stall at first
        spent = in_turns(contestants, rounds)
    return [
        Comparison("kept connection", "ms", spent["ours"], spent["theirs"], LARGEST_RATIO),
        Comparison("beside a fresh connection", "ms", spent["ours"], spent["fresh"]),
    ]


@contextmanager
def serving(command: tuple[str, ...]) -> Iterator[int]:
    """Run a server from its start to its end as Ctrl-C would end it; gives its port once it answers."""
    port = free_port()
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=PROJECT,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait_for(server, port)
            yield port
        finally:
            server.send_signal(signal.SIGINT)


@contextmanager
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    """Open a connection to a loopback port."""
    opened = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        yield opened
    finally:
        opened.close()


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when a server answers; raises `RuntimeError` when it has ended or never does."""
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            _milliseconds_fresh(port)
        except OSError:
            time.sleep(LOOK_EVERY_SECONDS)
        else:
            return
    raise RuntimeError(f"{server.args!r} does not answer.")


def _milliseconds(opened: http.client.HTTPConnection) -> float:
    """Time one request."""
    started = time.perf_counter()
    opened.request("GET", PATH)
    answer = opened.getresponse()
    answer.read()
    spent = time.perf_counter() - started
    if answer.status != 200:
        raise RuntimeError(f"{PATH} answered {answer.status}.")
    return spent * 1000


def _milliseconds_fresh(port: int) -> float:
    """Time one request and the connection that is made for it."""
    with connection(port) as opened:
        return _milliseconds(opened)
