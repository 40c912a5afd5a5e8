"""The SageMaker endpoint on this machine, for boto3, curl and tests."""

import threading
from pathlib import Path
from typing import Self

from chalicelib import release
from chalicelib.errors import ReleaseError
from simulator.container.serving import Container
from simulator.endpoint.endpoint_site import EndpointSite
from simulator.endpoint.runtime import VARIANT, RuntimeEndpoint, Variant
from simulator.faults.endpoint_faults import EndpointFault, EndpointFaultInjector
from simulator.http.server import HttpServer
from training.project import ROOT

DEFAULT_PORT = 8001
MODEL_FILE = ROOT / "model" / "xgboost-model"


class LocalEndpoint:
    """A running endpoint, served from construction until `stop`. Use it in a `with` statement."""

    def __init__(self, name: str, container: Container, port: int = 0) -> None:
        """Listen on a loopback port (0: any free one); raises `PortInUseError`."""
        self._stopping = threading.Event()
        variants = (Variant(VARIANT, 1.0, container),)
        self._endpoint = RuntimeEndpoint(name, variants, pause=self._stopping.wait)
        self._server = HttpServer(port, EndpointSite(self._endpoint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self._endpoint.name

    @property
    def port(self) -> int:
        """The loopback port."""
        return self._server.port

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` that directs boto3 here."""
        return self._server.url

    @property
    def faults(self) -> EndpointFaultInjector:
        """The injected fault."""
        return self._endpoint.faults

    @property
    def requests(self) -> int:
        """The number of invocations since the start."""
        return self.faults.requests

    @property
    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self._server.is_serving

    def inject_fault(self, fault: str, times: int | None = None) -> None:
        """Inject a fault (`"throttled"`, `"slow:3"`) into the next `times` requests; None: until `clear_faults`."""
        self.faults.inject(EndpointFault.parse(fault), times)

    def clear_faults(self) -> None:
        """Remove the fault."""
        self.faults.clear()

    def stop(self) -> None:
        """Free the port and close all connections, also those whose request is being answered."""
        self._stopping.set()
        self._server.stop()


def packaged_container(model_file: Path = MODEL_FILE) -> Container:
    """Load the packaged model; raises `ReleaseError` unless it is the model that the release records."""
    try:
        model = model_file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"The model {model_file} cannot be read: {error}.") from error
    release.load().check_model(model)
    return Container(model)
