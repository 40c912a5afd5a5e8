"""`python -m training run`, which is `make run`: the endpoint and the app, together, on this machine.

The endpoint serves from this process; the app is a child, the real `chalice local`, whose environment points boto3 at
the endpoint. Nothing of the caller's AWS configuration is read or changed. When one of the two ends, so does the other.
"""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from chalicelib.errors import SentimentError
from training.simulator.listener import LOOPBACK, MISBEHAVE_PATH, PortInUseError
from training.simulator.runtime import REGION
from training.simulator.server import LocalEndpoint, packaged_container, stop_signals

PROJECT = Path(__file__).parents[1]
DEFAULT_PORT = 8000
LONGEST_START_SECONDS = 60.0
LONGEST_STOP_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.1


class AppStoppedError(SentimentError):
    """The app or the endpoint ended by itself, or the app never answered."""

    type = "app-stopped"
    title = "The app has stopped"


def app_environment(caller: Mapping[str, str], endpoint: LocalEndpoint) -> dict[str, str]:
    """Return the app's environment: the caller's without its AWS settings, and with this endpoint's."""
    kept = {name: value for name, value in caller.items() if not name.startswith("AWS_")}
    direct = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), LOOPBACK]))
    return {
        **kept,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "ENDPOINT_NAME": endpoint.name,
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PYTHONUNBUFFERED": "1",
    }


def check_port_is_free(port: int) -> None:
    """Raise `PortInUseError` when the page's port cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortInUseError(
                f"Port {port} cannot be used ({error.strerror}); perhaps Verdict runs there already: look at "
                f"http://{LOOPBACK}:{port}/. Stop that program, or choose another port: make run PORT={port + 10}."
            ) from error


@contextmanager
def running_app(port: int, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start `chalice local` and stop it at the end. In a session of its own: Ctrl-C reaches it through us alone."""
    chalice = [sys.executable, "-m", "training.chalice_local", "local", "--stage", "dev", "--no-autoreload"]
    with subprocess.Popen(
        [*chalice, "--host", LOOPBACK, "--port", str(port)],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.PIPE,  # closed when this process ends, however it ends; the app ends with it
        start_new_session=True,
    ) as app:
        try:
            yield app
        finally:
            app.terminate()
            try:
                app.wait(LONGEST_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                app.kill()


def page_answers(port: int) -> bool:
    """Say whether the page answers at all, an error included."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Accept": "text/html"})
        connection.getresponse().read()  # hanging up on an unread answer would alarm the app
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def check_both_run(app: subprocess.Popen[bytes], endpoint: LocalEndpoint) -> None:
    """Raise `AppStoppedError` when the app or the endpoint has ended."""
    status = app.poll()
    if status is not None:
        raise AppStoppedError(
            f"The app has stopped by itself (exit status {status}), so the endpoint was stopped too. "
            "What it wrote above says why."
        )
    if not endpoint.is_serving:
        raise AppStoppedError("The endpoint has stopped by itself, so the app was stopped too.")


def wait_for_page(app: subprocess.Popen[bytes], endpoint: LocalEndpoint, port: int, stop: threading.Event) -> None:
    """Return when the page answers, or `stop` is set; raises `AppStoppedError` when it never does."""
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while not stop.is_set():
        check_both_run(app, endpoint)
        if page_answers(port):
            return
        if time.monotonic() > deadline:
            raise AppStoppedError(
                f"The page did not answer within {LONGEST_START_SECONDS:.0f} s, so both were stopped."
            )
        stop.wait(LOOK_EVERY_SECONDS)


def greeting(port: int, endpoint: LocalEndpoint) -> str:
    """Return what a person needs to know once both run."""
    page = f"http://{LOOPBACK}:{port}/"
    return (
        f"\nVerdict is ready: {page}\n\n"
        f"  ask it    curl -d 'One of the best films I have ever seen' {page}predict\n"
        f"  break it  curl -X PUT '{endpoint.url}{MISBEHAVE_PATH}?as=unavailable'\n"
        f"  mend it   curl -X DELETE '{endpoint.url}{MISBEHAVE_PATH}'\n\n"
        "Ctrl-C stops both, the page and the model's endpoint.\n"
    )


def run(port: int, stop: threading.Event) -> None:
    """Run endpoint and app until `stop` is set; raises `PortInUseError` or `AppStoppedError`."""
    check_port_is_free(port)
    name = endpoint_name(release.load().vocabulary.fingerprint)
    with (
        LocalEndpoint(name, packaged_container()) as endpoint,
        running_app(port, app_environment(os.environ, endpoint)) as app,
    ):
        wait_for_page(app, endpoint, port, stop)
        if not stop.is_set():
            click.echo(greeting(port, endpoint))
        while not stop.wait(LOOK_EVERY_SECONDS):
            check_both_run(app, endpoint)


@click.command("run")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    envvar="PORT",
    show_default=True,
    show_envvar=True,
    help="The page's port.",
)
def command(port: int) -> None:
    """Run the app and the model's endpoint on this machine, until Ctrl-C."""
    with stop_signals() as stop:
        run(port, stop)
    click.echo("\nBoth have stopped.")
