"""The simulated AWS on one loopback port, which boto3, the AWS CLI and `chalice` reach through AWS_ENDPOINT_URL.

SageMaker, its Runtime and Service Quotas are this project's own (see `sagemaker`, `endpoint`, `quotas`); S3 and all
other services are moto's; what `chalice deploy` deploys runs too (see `apps`).
"""

import threading
from contextlib import ExitStack
from functools import cache
from typing import Any, Self

from boto3.session import Session
from botocore.config import Config

from simulator.admin_api import AdminApi
from simulator.apps.function_log import FunctionLog
from simulator.apps.functions import Functions
from simulator.apps.gateway import Gateway
from simulator.endpoint.runtime import REGION
from simulator.faults.operation_faults import FaultInjector
from simulator.http.server import HttpServer
from simulator.moto.moto_services import MotoServices
from simulator.quotas import Quotas
from simulator.routing import Region, Routing
from simulator.sagemaker import model_packages
from simulator.sagemaker.backend import Backend
from simulator.sagemaker.hosting import endpoints, models
from simulator.sagemaker.jobs import training_jobs, transform_jobs, tuning_jobs
from simulator.sagemaker.resource_operations import TAG_OPERATIONS
from simulator.sagemaker.search import search_operation
from simulator.sagemaker.service import Operation

DEFAULT_PORT = 8002
LARGEST_BODY_BYTES = 512 * 1024 * 1024
OPERATIONS: dict[str, Operation] = {
    **endpoints.OPERATIONS,
    **models.OPERATIONS,
    **model_packages.OPERATIONS,
    **TAG_OPERATIONS,
    **training_jobs.OPERATIONS,
    **transform_jobs.OPERATIONS,
    **tuning_jobs.OPERATIONS,
}
OPERATIONS["Search"] = search_operation(OPERATIONS)
_KEYS = {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
_NO_PROFILES = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
_CLIENT = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"}, proxies={}, max_pool_connections=32)


@cache
def _session(region: str) -> Session:
    """Create a session, cached because loading the service models takes most of a second."""
    return Session("simulated", "simulated", region_name=region)


class SimulatedAws:
    """A running simulator, served from construction until `stop`. Use it in a `with` statement.

    `pace` is the duration in seconds of a state that lasts minutes on AWS. Simulators in one process share moto's state
    (buckets, roles, logs), but not SageMaker's.
    """

    def __init__(self, port: int = 0, pace: float = 1.0) -> None:
        """Listen on a loopback port (0: any free one); raises `PortInUseError`."""
        self.fault_injector = FaultInjector()
        self._pace = pace
        self._lock = threading.RLock()
        self._regions: dict[str, Region] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        with ExitStack() as stack:
            routing = self._routing(stack)
            self._server = HttpServer(port, routing, LARGEST_BODY_BYTES, accepts_chunked=True)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The loopback port."""
        return self._server.port

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL` that directs boto3 here."""
        return self._server.url

    @property
    def environment(self) -> dict[str, str]:
        """The environment that directs boto3, the AWS CLI and `chalice` here, without the user's AWS profiles."""
        return {**self._environment_in(REGION), **_NO_PROFILES}

    def backend(self, region: str = REGION) -> Backend:
        """Return the SageMaker backend of a region."""
        return self._region(region).backend

    def quotas(self, region: str = REGION) -> Quotas:
        """Return the quotas of a region."""
        return self._region(region).quotas

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client of the simulator, shared by all callers."""
        with self._lock:
            if (service, region) not in self._clients:
                client = _session(region).client(service, endpoint_url=self.url, config=_CLIENT)
                self._clients[service, region] = client
            return self._clients[service, region]

    def stop(self) -> None:
        """Stop all work, and free the port."""
        for backend in self._backends():
            backend.stop()
        self._stack.close()
        self._server.stop()

    def _routing(self, stack: ExitStack) -> Routing:
        """Create the services; `stack` receives what must be stopped."""
        services = MotoServices()
        stack.callback(services.stop)
        log = FunctionLog(self.client)
        stack.callback(log.stop)
        functions = Functions(services.function, self._environment_in, log.stream)
        stack.callback(functions.stop)
        gateway = Gateway(functions.invoke)
        admin_api = AdminApi(self._backends, self.fault_injector, gateway, lambda: self.url)
        return Routing(self._region, OPERATIONS, services, gateway, functions, self.fault_injector, admin_api)

    def _environment_in(self, region: str) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url, **_KEYS, "AWS_DEFAULT_REGION": region}

    def _backends(self) -> list[Backend]:
        with self._lock:
            return [region.backend for region in self._regions.values()]

    def _region(self, name: str) -> Region:
        """Return a region; creates it on first use."""
        with self._lock:
            if name not in self._regions:
                quotas = Quotas(name, self._pace)
                backend = Backend(
                    name, lambda service: self.client(service, name), self.fault_injector, self._pace, quotas.limit
                )
                self._regions[name] = Region(backend, quotas)
            return self._regions[name]
