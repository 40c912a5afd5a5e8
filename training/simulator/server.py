"""`python -m training endpoint`: a SageMaker endpoint on this machine, for boto3, curl and tests."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import click

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from chalicelib.errors import ReleaseError
from training.child import end_with_parent
from training.simulator.container.serving import Container
from training.simulator.faults import GOOD, KINDS, Misbehaviour, Orders
from training.simulator.listener import Listening
from training.simulator.runtime import VARIANT, RuntimeEndpoint, Variant
from training.simulator.site import MISBEHAVE_PATH, EndpointSite

DEFAULT_PORT = 8001
MODEL_FILE = Path(__file__).parents[2] / "model" / "xgboost-model"


class LocalEndpoint:
    """A running endpoint: serves from its making until `stop`. Use it in a `with` statement."""

    def __init__(self, name: str, container: Container, port: int = 0) -> None:
        """Serve on a loopback port (0: any that is free); raises `PortInUseError`."""
        self._stopping = threading.Event()
        variants = (Variant(VARIANT, 1.0, container),)
        self._endpoint = RuntimeEndpoint(name, variants, pause=self._stopping.wait)
        self._listening = Listening(port, EndpointSite(self._endpoint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def name(self) -> str:
        """The only endpoint name that is known here."""
        return self._endpoint.name

    @property
    def port(self) -> int:
        """The loopback port that is listened on."""
        return self._listening.port

    @property
    def url(self) -> str:
        """What `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` must be for boto3 to come here."""
        return self._listening.url

    @property
    def orders(self) -> Orders:
        """How it is told to behave."""
        return self._endpoint.orders

    @property
    def requests(self) -> int:
        """How many invocations have come since the start."""
        return self.orders.requests

    @property
    def is_serving(self) -> bool:
        """Whether connections are still taken."""
        return self._listening.is_serving

    def misbehave(self, order: str, times: int | None = None) -> None:
        """Misbehave (`"throttled"`, `"slow:3"`) for the next `times` requests; None: until `behave`."""
        self.orders.misbehave(Misbehaviour.parse(order), times)

    def behave(self) -> None:
        """Answer rightly from the next request on."""
        self.orders.behave()

    def stop(self) -> None:
        """Let go of the port and of every connection; what is being answered is cut off."""
        self._stopping.set()
        self._listening.stop()


def packaged_container(model_file: Path = MODEL_FILE) -> Container:
    """Load the packaged release's model; raises `ReleaseError` unless it is the one that the release was made with."""
    try:
        model = model_file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"The model {model_file} cannot be read: {error}.") from error
    release.load().check_model(model)
    return Container(model)


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT (Ctrl-C), SIGTERM or SIGHUP sets, instead of what they usually do."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _say_nothing(_: str) -> None:
    """Leave the telling to the program that started this one."""


@click.command("endpoint")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port; 0 takes any that is free.",
)
@click.option("--name", help="The endpoint's name; the packaged vocabulary's by default.")
@click.option("--misbehave", metavar="KIND", help=f"Go wrong: {', '.join(KINDS)} (slow takes seconds: slow:3).")
@click.option("--times", type=click.IntRange(min=1), help="Misbehave for that many requests only.")
@click.option("--child", is_flag=True, hidden=True, help="Say nothing, and end with the program that started this one.")
def command(port: int, name: str | None, misbehave: str | None, times: int | None, child: bool) -> None:
    """Run the packaged model as a SageMaker endpoint on this machine, until Ctrl-C."""
    say = _say_nothing if child else click.echo
    order = Misbehaviour.parse(misbehave) if misbehave else GOOD
    name = name or endpoint_name(release.load().encoder.fingerprint)
    with stop_signals() as stop:
        if child:
            end_with_parent()
        with LocalEndpoint(name, packaged_container(), port) as endpoint:
            endpoint.orders.misbehave(order, times)
            say(f"Endpoint {name} answers at {endpoint.url}. Ctrl-C stops it.")
            say(f"For boto3:  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={endpoint.url}")
            say(f"To break it:  curl -X PUT '{endpoint.url}{MISBEHAVE_PATH}?as=unavailable'")
            stop.wait()
    say("The endpoint has stopped.")
