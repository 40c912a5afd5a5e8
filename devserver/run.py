"""`verdict run`, which is `make run`: the endpoint and the app, together, on this machine.

Both are children of this process. The app is the real `chalice local`, whose environment points boto3 at the endpoint;
nothing of the caller's AWS configuration is read or changed. When the app ends, so does the endpoint. When the endpoint
ends, the app runs on, as it would on AWS, and its page says that the model cannot be reached.
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
from simulator.child_process import child
from simulator.listener import LOOPBACK, PortInUseError
from simulator.runtime import REGION
from simulator.server import packaged_container
from simulator.site import MISBEHAVE_PATH, STATE_PATH

DEFAULT_PORT = 8000
LONGEST_START_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1


class AppStoppedError(SentimentError):
    """The app ended by itself, or it or the endpoint never answered."""

    type = "app-stopped"
    title = "The app has stopped"


@dataclass(frozen=True)
class EndpointAddress:
    """Where the endpoint answers, and the only name it knows."""

    name: str
    port: int

    @property
    def url(self) -> str:
        """What `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` must be for boto3 to go there."""
        return f"http://{LOOPBACK}:{self.port}"


def app_environment(caller: Mapping[str, str], endpoint: EndpointAddress) -> dict[str, str]:
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


def check_port_is_free(port: int) -> int:
    """Return a port that can be listened on: this one, or for 0 any; raises `PortInUseError`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortInUseError(
                f"Port {port} cannot be used ({error.strerror}); perhaps Verdict runs there already: look at "
                f"http://{LOOPBACK}:{port}/. Stop that program, or choose another port: make run PORT={port + 10}."
            ) from error
        return int(probe.getsockname()[1])


def answers(port: int, path: str) -> bool:
    """Say whether anything answers on a loopback port, an error included."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Accept": "text/html, */*"})
        connection.getresponse().read()  # hanging up on an unread answer would alarm the app
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def check_runs(process: subprocess.Popen[bytes], what: str) -> None:
    """Raise `AppStoppedError` when a child has ended."""
    status = process.poll()
    if status is not None:
        raise AppStoppedError(
            f"{what} has stopped by itself (exit status {status}), so everything was stopped. "
            "What it wrote above says why."
        )


def wait_for(process: subprocess.Popen[bytes], what: str, answering: Callable[[], bool], stop: threading.Event) -> None:
    """Return when a child answers, or `stop` is set; raises `AppStoppedError` when it never does."""
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while not stop.is_set():
        check_runs(process, what)
        if answering():
            return
        if time.monotonic() > deadline:
            raise AppStoppedError(
                f"{what} did not answer within {LONGEST_START_SECONDS:.0f} s; everything was stopped."
            )
        stop.wait(LOOK_EVERY_SECONDS)


def greeting(port: int, endpoint: EndpointAddress, endpoint_process: int) -> str:
    """Return what a person needs to know once both run."""
    page = f"http://{LOOPBACK}:{port}/"
    return (
        f"\nVerdict is ready: {page}\n\n"
        f"  ask it          curl -d 'One of the best films I have ever seen' {page}predict\n"
        f"  break the model curl -X PUT '{endpoint.url}{MISBEHAVE_PATH}?as=unavailable'\n"
        f"  mend it         curl -X DELETE '{endpoint.url}{MISBEHAVE_PATH}'\n"
        f"  stop it         kill {endpoint_process}\n\n"
        "Ctrl-C stops both, the page and the model's endpoint.\n"
    )


def run(port: int, stop: threading.Event) -> None:
    """Run endpoint and app until `stop` is set; raises `ReleaseError`, `PortInUseError` or `AppStoppedError`."""
    check_port_is_free(port)
    packaged_container()  # refuses a model that is not the release's before anything is started
    endpoint = EndpointAddress(endpoint_name(release.load().encoder.fingerprint), check_port_is_free(0))
    serve = ["-m", "cli.main", "endpoint", "--child", "--name", endpoint.name, "--port", str(endpoint.port)]
    chalice = ["-m", "devserver.chalice_local", "local", "--stage", "dev", "--no-autoreload"]
    with (
        child(serve, os.environ) as served,
        child([*chalice, "--host", LOOPBACK, "--port", str(port)], app_environment(os.environ, endpoint)) as app,
    ):
        wait_for(served, "The endpoint", lambda: answers(endpoint.port, STATE_PATH), stop)
        wait_for(app, "The app", lambda: answers(port, "/"), stop)
        if not stop.is_set():
            click.echo(greeting(port, endpoint, served.pid))
        look_after(app, served, stop)


def look_after(app: subprocess.Popen[bytes], endpoint: subprocess.Popen[bytes], stop: threading.Event) -> None:
    """Return when `stop` is set; says so when the endpoint ends, and raises `AppStoppedError` when the app does."""
    told = False
    while not stop.wait(LOOK_EVERY_SECONDS):
        check_runs(app, "The app")
        if not told and endpoint.poll() is not None:
            click.echo("The endpoint has stopped. The page runs on, and says so. Ctrl-C stops it; then start again.")
            told = True
