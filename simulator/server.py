"""`verdict endpoint`: a SageMaker endpoint on this machine, for boto3, curl and tests."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from chalicelib import release
from chalicelib.errors import ReleaseError
from simulator.container.serving import Container
from simulator.endpoint_faults import Misbehaviour, Orders
from simulator.listener import Listening
from simulator.runtime import VARIANT, RuntimeEndpoint, Variant
from simulator.site import EndpointSite
from training.project import ROOT

DEFAULT_PORT = 8001
MODEL_FILE = ROOT / "model" / "xgboost-model"


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
