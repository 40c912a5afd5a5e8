"""The server of `make run` beside plain `chalice local`: small requests on a kept connection.

Plain `chalice local` sends headers and body separately and stalls on every kept connection, for about 40 ms, until the
client acknowledges the headers (see `devserver.chalice_local`). A new connection, which never stalls, is measured too.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.comparison import Comparison, measure_in_turns
from simulator.http.server import LOOPBACK
from training.project import ROOT

LARGEST_RATIO = 1 / 2  # the stall is most of a plain request
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.1
PATH = "/health"
MAKE_RUN = (sys.executable, "-m", "cli.main", "run")
CHALICE_LOCAL = (str(Path(sys.executable).with_name("chalice")), "local", "--stage", "dev", "--no-autoreload")


def measure(rounds: int) -> list[Comparison]:
    """Start both servers and send them requests in turns; the measurements are milliseconds per request."""
    with ExitStack() as running:
        ours, theirs = (running.enter_context(serving(command)) for command in (MAKE_RUN, CHALICE_LOCAL))
        connection_to_ours, connection_to_theirs = (running.enter_context(connection(port)) for port in (ours, theirs))
        contestants = {
            "ours": lambda: _milliseconds(connection_to_ours),
            "theirs": lambda: _milliseconds(connection_to_theirs),
            "new connection": lambda: _milliseconds_of_new(ours),
        }
        measure_in_turns(contestants, 3)  # warm-up: a new connection does not stall at first
        spent = measure_in_turns(contestants, rounds)
    return [
        Comparison("kept connection", "ms", spent["ours"], spent["theirs"], LARGEST_RATIO),
        Comparison("kept or new connection", "ms", spent["ours"], spent["new connection"]),
    ]


@contextmanager
def serving(command: tuple[str, ...]) -> Iterator[int]:
    """Run a server while the block runs; gives its port once it responds.

    It is stopped by SIGTERM: a child process may have inherited that SIGINT (Ctrl-C) is ignored.
    """
    port = free_port()
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait_for(server, port)
            yield port
        finally:
            _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Terminate a server, and kill it if it does not end in time."""
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


@contextmanager
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    """Open a connection to a loopback port."""
    opened = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        yield opened
    finally:
        opened.close()


def free_port() -> int:
    """Return a loopback port that is not in use."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a server responds; raises `RuntimeError` if it has ended or does not respond in time."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            _milliseconds_of_new(port)
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return
    raise RuntimeError(f"{server.args!r} does not respond.")


def _milliseconds(opened: http.client.HTTPConnection) -> float:
    """Time one request."""
    started = time.perf_counter()
    opened.request("GET", PATH)
    response = opened.getresponse()
    response.read()
    spent = time.perf_counter() - started
    if response.status != 200:
        raise RuntimeError(f"{PATH} returned status {response.status}.")
    return spent * 1000


def _milliseconds_of_new(port: int) -> float:
    """Time one request on a new connection, including opening it."""
    with connection(port) as opened:
        return _milliseconds(opened)
