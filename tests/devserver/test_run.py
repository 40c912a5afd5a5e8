"""The development server, with real processes, real signals and free loopback ports."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from devserver.run import AppStoppedError, EndpointAddress, app_environment, available_port, wait_until_ready
from simulator.processes import child
from training.project import ROOT as PROJECT

READY = "Press Ctrl-C to stop both"
APP_THAT_REPORTS_NO_DELAY = """
import inspect, socket
from http.server import BaseHTTPRequestHandler
from chalice.app import Chalice
app = Chalice(app_name="tiny")
@app.route("/")
def index():
    callers = (frame.frame.f_locals.get("self") for frame in inspect.stack())
    handler = next(caller for caller in callers if isinstance(caller, BaseHTTPRequestHandler))
    return {"no_delay": bool(handler.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))}
"""

APP_THAT_RETURNS_ITS_BODY = """
from chalice.app import Chalice
app = Chalice(app_name="tiny")
@app.route("/", methods=["POST"], content_types=["*/*"])
def index():
    return {"body": app.current_request.raw_body.decode()}
"""


@contextmanager
def launched(*command: str, cwd: Path = PROJECT) -> Iterator[subprocess.Popen[str]]:
    """Start a process whose output can be read; kill it at the end if it still runs."""
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


def run_command(port: int) -> tuple[str, ...]:
    return ("-m", "cli.main", "run", "--port", str(port))


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return the output up to the line that contains a text; fail if it never appears."""
    assert process.stdout
    lines = ""
    for line in process.stdout:
        lines += line
        if text in line:
            return lines
    raise AssertionError(f"{text!r} is not in the output:\n{lines}")


def remaining_output(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.read()


def post_review(port: int, review: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/predict", body=review, headers={"Content-Type": "text/plain"})
    response = connection.getresponse().read().decode()
    connection.close()
    return response


@pytest.fixture(scope="module")
def running() -> Iterator[int]:
    """Start the app and the endpoint; return the page's port."""
    port = available_port(0)
    with launched(*run_command(port)) as process:
        assert f"http://127.0.0.1:{port}/" in read_until(process, READY)
        threading.Thread(target=remaining_output, args=(process,), daemon=True).start()  # a full pipe blocks the server
        yield port
        process.send_signal(signal.SIGINT)


def test_reviews_are_classified_without_an_aws_account(running: int) -> None:
    assert post_review(running, "One of the best films I have ever seen") == "1"
    assert post_review(running, "This movie is horrible.") == "0"


def test_concurrent_requests_get_their_own_responses(running: int) -> None:
    reviews = ["One of the best films I have ever seen", "This movie is horrible."] * 50
    with ThreadPoolExecutor(25) as clients:
        responses = list(clients.map(lambda review: post_review(running, review), reviews))
    assert responses == ["1", "0"] * 50


def test_a_second_start_reports_the_port_in_use_and_suggests_another(running: int) -> None:
    second = subprocess.run([sys.executable, *run_command(running)], cwd=PROJECT, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"Port {running}" in second.stderr
    assert f"make run PORT={running + 10}" in second.stderr


def test_a_disconnecting_browser_leaves_no_traceback() -> None:
    port = available_port(0)
    with launched(*run_command(port)) as process:
        read_until(process, READY)
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
            browser.recv(1)  # closing with unread data resets the connection
        post_review(port, "Still there?")
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in remaining_output(process)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stops_both_servers(signal_number: int) -> None:
    port = available_port(0)
    with launched(*run_command(port)) as process:
        read_until(process, READY)
        process.send_signal(signal_number)
        output = remaining_output(process)
        assert process.wait() == 0
    assert output.strip() == "Stopped."
    with pytest.raises(ConnectionRefusedError):
        post_review(port, "Are you there?")


def test_an_exited_app_is_reported_with_its_status() -> None:
    with (
        child(["-c", "import sys; sys.exit(3)"], os.environ) as app,
        pytest.raises(AppStoppedError, match="exited unexpectedly with status 3"),
    ):
        wait_until_ready(app, "The app", lambda: False, threading.Event())


def test_the_page_keeps_running_without_its_endpoint() -> None:
    port = available_port(0)
    with launched(*run_command(port)) as process:
        stop_line = read_until(process, "stop the endpoint ").splitlines()[-1]
        read_until(process, READY)
        os.kill(int(stop_line.split()[-1]), signal.SIGTERM)
        read_until(process, "The endpoint has stopped")
        assert post_review(port, "A film").startswith("Error: The model is unavailable")
        process.send_signal(signal.SIGINT)
        remaining_output(process)
        assert process.wait() == 0


def test_no_child_outlives_a_killed_server() -> None:
    port = available_port(0)
    with launched(*run_command(port)) as process:
        read_until(process, READY)
        process.kill()
        remaining_output(process)  # ends once the app and the endpoint, which write to the same pipe, have exited
    with pytest.raises(ConnectionRefusedError):
        post_review(port, "Are you there?")


def test_the_app_gets_none_of_the_callers_aws_settings() -> None:
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


@pytest.mark.parametrize(
    ("chalice", "no_delay"),
    [(("-c", "import chalice.cli; chalice.cli.main()"), False), (("-m", "devserver.chalice_local"), True)],
    ids=["plain chalice", "ours"],
)
def test_responses_are_sent_without_delay(tmp_path: Path, chalice: tuple[str, ...], no_delay: bool) -> None:
    """Plain `chalice local` delays each response on a kept-alive connection by 40 ms; TCP_NODELAY prevents it."""
    write_app(tmp_path, APP_THAT_REPORTS_NO_DELAY)
    port = available_port(0)
    with launched(*chalice, "local", "--no-autoreload", "--port", str(port), cwd=tmp_path) as process:
        read_until(process, "Serving on")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/")
        assert json.load(connection.getresponse()) == {"no_delay": no_delay}
        connection.close()


def write_app(folder: Path, source: str) -> None:
    (folder / ".chalice").mkdir()
    (folder / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "tiny"}')
    (folder / "app.py").write_text(source)


def test_a_chunked_body_is_read_and_the_next_request_too(tmp_path: Path) -> None:
    write_app(tmp_path, APP_THAT_RETURNS_ITS_BODY)
    port = available_port(0)
    with launched(
        "-m", "devserver.chalice_local", "local", "--no-autoreload", "--port", str(port), cwd=tmp_path
    ) as app:
        read_until(app, "Serving on")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for chunks in ([b"A great ", b"film"], [b"x" * 100_000], []):
            connection.request("POST", "/", iter(chunks), {"Content-Type": "text/plain"}, encode_chunked=True)
            assert json.load(connection.getresponse()) == {"body": b"".join(chunks).decode()}
        connection.close()


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\nthis is no chunk\r\n",
        b"Transfer-Encoding: gzip\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
    ],
)
def test_a_body_without_a_valid_length_is_refused(tmp_path: Path, rest: bytes) -> None:
    write_app(tmp_path, APP_THAT_RETURNS_ITS_BODY)
    port = available_port(0)
    with launched(
        "-m", "devserver.chalice_local", "local", "--no-autoreload", "--port", str(port), cwd=tmp_path
    ) as app:
        read_until(app, "Serving on")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n" + rest)
            assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400 ")
