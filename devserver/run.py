"""The development server (`verdict run`, `make run`): the app and a local model endpoint.

Both are child processes. The app runs in the real `chalice local`, whose environment points boto3 at the endpoint; the
caller's AWS configuration is neither read nor changed. If the app ends, the endpoint is stopped too. If the endpoint
ends, the app keeps running, as on AWS, and its page reports that the model cannot be reached.
"""

import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from chalicelib.errors import SentimentError
from simulator.endpoint.endpoint_site import FAULTS_PATH, STATE_PATH
from simulator.endpoint.local_endpoint import packaged_container
from simulator.endpoint.runtime import REGION
from simulator.http.server import LOOPBACK, PortInUseError
from simulator.processes import child

DEFAULT_PORT = 8000
START_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.1


class AppStoppedError(SentimentError):
    """The app exited unexpectedly, or a server did not start in time."""

    type = "app-stopped"
    title = "The app has stopped"


@dataclass(frozen=True)
class EndpointAddress:
    """The local endpoint's name and port."""

    name: str
    port: int

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` that directs boto3 to this endpoint."""
        return f"http://{LOOPBACK}:{self.port}"


def app_environment(caller: Mapping[str, str], endpoint: EndpointAddress) -> dict[str, str]:
    """Return the caller's environment, with its AWS settings replaced by those for the local endpoint."""
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


def available_port(port: int) -> int:
    """Return the port, or any free port for 0; raises `PortInUseError`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortInUseError(
                f"Port {port} cannot be used ({error.strerror}). Verdict may already be running at "
                f"http://{LOOPBACK}:{port}/. Stop that program, or choose another port: make run PORT={port + 10}."
            ) from error
        return int(probe.getsockname()[1])


def answers(port: int, path: str) -> bool:
    """Return whether a server on a loopback port sends any response, errors included."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Accept": "text/html, */*"})
        connection.getresponse().read()  # closing with an unread response would be logged as an error by the app
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def check_running(process: subprocess.Popen[bytes], description: str) -> None:
    """Raise `AppStoppedError` if a child process has exited."""
    status = process.poll()
    if status is not None:
        raise AppStoppedError(
            f"{description} exited unexpectedly with status {status}, so everything was stopped. See its output above."
        )


def wait_until_ready(
    process: subprocess.Popen[bytes], description: str, is_ready: Callable[[], bool], stop: threading.Event
) -> None:
    """Return when a child process is ready or `stop` is set; raises `AppStoppedError` if it exits or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not stop.is_set():
        check_running(process, description)
        if is_ready():
            return
        if time.monotonic() > deadline:
            raise AppStoppedError(
                f"{description} did not start within {START_TIMEOUT_SECONDS:.0f} s, so everything was stopped."
            )
        stop.wait(POLL_SECONDS)


def ready_message(port: int, endpoint: EndpointAddress, endpoint_process: int) -> str:
    """Return the addresses and commands that are printed once both servers run."""
    page = f"http://{LOOPBACK}:{port}/"
    return (
        f"\nVerdict is ready: {page}\n\n"
        f"  classify a review  curl -d 'One of the best films I have ever seen' {page}predict\n"
        f"  inject a fault     curl -X PUT '{endpoint.url}{FAULTS_PATH}?fault=unavailable'\n"
        f"  remove the fault   curl -X DELETE '{endpoint.url}{FAULTS_PATH}'\n"
        f"  stop the endpoint  kill {endpoint_process}\n\n"
        "Press Ctrl-C to stop both the page and the model endpoint.\n"
    )


def run(port: int, stop: threading.Event, settings: Mapping[str, str] | None = None) -> None:
    """Run the endpoint and the app until `stop` is set; `settings` are more environment variables of the app.

    Raises `ReleaseError`, `PortInUseError` or `AppStoppedError`.
    """
    available_port(port)
    packaged_container()  # raises if the model does not belong to the release
    endpoint = EndpointAddress(endpoint_name(release.load().encoder.fingerprint), available_port(0))
    environment = app_environment(os.environ, endpoint) | dict(settings or {})
    serve = ["-m", "cli.main", "endpoint", "--child", "--name", endpoint.name, "--port", str(endpoint.port)]
    chalice = ["-m", "devserver.chalice_local", "local", "--stage", "dev", "--no-autoreload"]
    with (
        child(serve, os.environ) as endpoint_process,
        child([*chalice, "--host", LOOPBACK, "--port", str(port)], environment) as app,
    ):
        wait_until_ready(endpoint_process, "The endpoint", lambda: answers(endpoint.port, STATE_PATH), stop)
        wait_until_ready(app, "The app", lambda: answers(port, "/"), stop)
        if not stop.is_set():
            click.echo(ready_message(port, endpoint, endpoint_process.pid))
        supervise(app, endpoint_process, stop)


def supervise(app: subprocess.Popen[bytes], endpoint: subprocess.Popen[bytes], stop: threading.Event) -> None:
    """Return when `stop` is set; report if the endpoint exits, and raise `AppStoppedError` if the app does."""
    reported = False
    while not stop.wait(POLL_SECONDS):
        check_running(app, "The app")
        if not reported and endpoint.poll() is not None:
            click.echo("The endpoint has stopped. The page still runs, and reports this. Press Ctrl-C, then restart.")
            reported = True
