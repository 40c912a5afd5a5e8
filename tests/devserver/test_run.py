"""`make run`'s launcher, as a person uses it: real processes, real signals, on free loopback ports."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from devserver.run import AppStoppedError, EndpointAddress, app_environment, wait_for
from simulator.child_process import child
from training.project import ROOT as PROJECT

READY = "Ctrl-C stops both"
TINY_APP = """
from chalice.app import Chalice
app = Chalice(app_name="tiny")
@app.route("/")
def index():
    return {}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def launched(*command: str, cwd: Path = PROJECT) -> Iterator[subprocess.Popen[str]]:
    """A process whose output can be read; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def launch_of(port: int) -> tuple[str, ...]:
    return ("-m", "cli.main", "run", "--port", str(port))


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return the lines up to the one that holds a text; fails when they end before."""
    assert process.stdout
    lines = ""
    for line in process.stdout:
        lines += line
        if text in line:
            return lines
    raise AssertionError(f"{text!r} never came, but:\n{lines}")


def rest_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.read()


def ask(port: int, review: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/predict", body=review, headers={"Content-Type": "text/plain"})
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def running() -> Iterator[int]:
    """The port of a running page; the endpoint runs too."""
    port = free_port()
    with launched(*launch_of(port)) as process:
        assert f"http://127.0.0.1:{port}/" in read_until(process, READY)
        yield port
        process.send_signal(signal.SIGINT)


def test_reviews_are_judged_with_no_aws_account(running: int) -> None:
    assert ask(running, "One of the best films I have ever seen") == "1"
    assert ask(running, "This movie is horrible.") == "0"


def test_requests_that_come_at_once_are_all_answered_each_with_its_own(running: int) -> None:
    reviews = ["One of the best films I have ever seen", "This movie is horrible."] * 50
    with ThreadPoolExecutor(25) as clients:
        answers = list(clients.map(lambda review: ask(running, review), reviews))
    assert answers == ["1", "0"] * 50


def test_a_second_start_says_which_port_is_in_use_and_what_to_do(running: int) -> None:
    second = subprocess.run([sys.executable, *launch_of(running)], cwd=PROJECT, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"Port {running}" in second.stderr
    assert f"make run PORT={running + 10}" in second.stderr


def test_a_browser_that_hangs_up_leaves_no_traceback() -> None:
    port = free_port()
    with launched(*launch_of(port)) as process:
        read_until(process, READY)
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
            browser.recv(1)  # closing with the rest unread resets the connection
        ask(port, "Still there?")
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in rest_of(process)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stops_both_cleanly(signal_number: int) -> None:
    port = free_port()
    with launched(*launch_of(port)) as process:
        read_until(process, READY)
        process.send_signal(signal_number)
        said = rest_of(process)
        assert process.wait() == 0
    assert said.strip() == "Stopped."
    with pytest.raises(ConnectionRefusedError):
        ask(port, "Are you there?")


def test_an_app_that_ends_by_itself_is_told_with_its_exit_status() -> None:
    with (
        child(["-c", "import sys; sys.exit(3)"], os.environ) as app,
        pytest.raises(AppStoppedError, match=r"The app has stopped by itself \(exit status 3\)"),
    ):
        wait_for(app, "The app", lambda: False, threading.Event())


def test_the_page_runs_on_without_its_endpoint_and_says_so() -> None:
    port = free_port()
    with launched(*launch_of(port)) as process:
        stop_line = read_until(process, "stop it ").splitlines()[-1]
        read_until(process, READY)
        os.kill(int(stop_line.split()[-1]), signal.SIGTERM)
        read_until(process, "The endpoint has stopped")
        assert ask(port, "A film").startswith("Error: The model cannot be reached")
        process.send_signal(signal.SIGINT)
        rest_of(process)
        assert process.wait() == 0


def test_nothing_outlives_a_killed_launcher() -> None:
    port = free_port()
    with launched(*launch_of(port)) as process:
        read_until(process, READY)
        process.kill()
        rest_of(process)  # ends when app and endpoint, which write to the same pipe, have ended
    with pytest.raises(ConnectionRefusedError):
        ask(port, "Are you there?")


def test_the_app_gets_nothing_of_the_callers_aws_settings() -> None:
    endpoint = EndpointAddress("verdict-dev-x", 8001)
    caller = {
        "HOME": "/home/someone",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "NO_PROXY": "intranet",
        "ENDPOINT_NAME": "another",
    }
    environment = app_environment(caller, endpoint)
    assert environment["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == endpoint.url
    assert environment["ENDPOINT_NAME"] == endpoint.name
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["NO_PROXY"] == "intranet,127.0.0.1"
    assert environment["HOME"] == "/home/someone"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} & environment.keys()


def milliseconds_a_kept_request(folder: Path, *chalice: str) -> float:
    """The median time of a request on one connection to a tiny app under `chalice local`."""
    port = free_port()
    with launched(*chalice, "local", "--no-autoreload", "--port", str(port), cwd=folder) as process:
        read_until(process, "Serving on")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        times = []
        for _ in range(20):
            started = time.perf_counter()
            connection.request("GET", "/")
            connection.getresponse().read()
            times.append((time.perf_counter() - started) * 1000)
        connection.close()
    return median(times)


def test_kept_connections_are_not_held_up_as_in_plain_chalice_local(tmp_path: Path) -> None:
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "tiny"}')
    (tmp_path / "app.py").write_text(TINY_APP)
    plain = milliseconds_a_kept_request(tmp_path, "-c", "import chalice.cli; chalice.cli.main()")
    ours = milliseconds_a_kept_request(tmp_path, "-m", "devserver.chalice_local")
    assert ours < plain / 2, f"{ours:.1f} ms, plain {plain:.1f} ms"
