"""An AWS on this machine, on one loopback port: boto3, the AWS CLI and `chalice` come here by AWS_ENDPOINT_URL alone.

SageMaker, its runtime and Service Quotas are this project's own (see `control`, `runtime`, `quotas`), S3 and the rest
are moto's, and what `chalice deploy` deployed answers too (see `gateway`).
"""

import threading
from contextlib import ExitStack
from functools import cache
from typing import Any, Self

from boto3.session import Session
from botocore.config import Config

from simulator.apps.function_log import FunctionLog
from simulator.apps.functions import Functions
from simulator.apps.gateway import Gateway
from simulator.fault_injection import FaultInjector
from simulator.listener import Listening
from simulator.moto_services import MotoServices
from simulator.quotas import Quotas
from simulator.routing import Region, Routing
from simulator.runtime import REGION
from simulator.sagemaker import model_packages
from simulator.sagemaker.backend import Backend
from simulator.sagemaker.hosting import endpoints, models
from simulator.sagemaker.jobs import training_jobs, transform_jobs, tuning_jobs
from simulator.sagemaker.resource_operations import TAG_OPERATIONS
from simulator.sagemaker.service import Operation
from simulator.state import StatePages

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
_KEYS = {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
_NO_PROFILES = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
_CLIENT = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"}, proxies={}, max_pool_connections=32)


@cache
def _session(region: str) -> Session:
    """Make a session once a process: reading the services' models takes it most of a second."""
    return Session("simulated", "simulated", region_name=region)


class SimulatedAws:
    """A running AWS: serves from its making until `stop`. Use it in a `with` statement.

    `pace` is how many seconds a state lasts that takes minutes on AWS. Those that run at the same time in one process
    share what moto keeps (buckets, roles, logs), but not SageMaker.
    """

    def __init__(self, port: int = 0, pace: float = 1.0) -> None:
        """Serve on a loopback port (0: any that is free); raises `PortInUseError`."""
        self.fault_injector = FaultInjector()
        self._pace = pace
        self._lock = threading.RLock()
        self._regions: dict[str, Region] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        with ExitStack() as parts:
            routing = self._routing(parts)
            self._listening = Listening(port, routing, LARGEST_BODY_BYTES, takes_chunks=True)
            self._parts = parts.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The loopback port that is listened on."""
        return self._listening.port

    @property
    def url(self) -> str:
        """What `AWS_ENDPOINT_URL` must be for boto3 to come here."""
        return self._listening.url

    @property
    def environment(self) -> dict[str, str]:
        """The variables that bring boto3, the AWS CLI and `chalice` here, and keep real profiles out of it."""
        return {**self._environment_in(REGION), **_NO_PROFILES}

    def world(self, region: str = REGION) -> Backend:
        """Return what exists in a region."""
        return self._region(region).world

    def quotas(self, region: str = REGION) -> Quotas:
        """Return the quotas of a region."""
        return self._region(region).quotas

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client of this AWS, the same for everybody who asks."""
        with self._lock:
            if (service, region) not in self._clients:
                made = _session(region).client(service, endpoint_url=self.url, config=_CLIENT)
                self._clients[service, region] = made
            return self._clients[service, region]

    def stop(self) -> None:
        """End all that is under way, and let go of the port."""
        for world in self._worlds():
            world.stop()
        self._parts.close()
        self._listening.stop()

    def _routing(self, parts: ExitStack) -> Routing:
        """Put together what answers; `parts` takes what must be stopped."""
        services = MotoServices()
        parts.callback(services.stop)
        log = FunctionLog(lambda region: self.client("logs", region))
        parts.callback(log.stop)
        functions = Functions(services.function, self._environment_in, log.stream)
        parts.callback(functions.stop)
        gateway = Gateway(functions.invoke)
        state = StatePages(self._worlds, self.fault_injector, gateway, lambda: self.url)
        return Routing(self._region, OPERATIONS, services, gateway, functions, self.fault_injector, state)

    def _environment_in(self, region: str) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url, **_KEYS, "AWS_DEFAULT_REGION": region}

    def _worlds(self) -> list[Backend]:
        with self._lock:
            return [region.world for region in self._regions.values()]

    def _region(self, name: str) -> Region:
        """Return a region, made now when it is asked for the first time."""
        with self._lock:
            if name not in self._regions:
                quotas = Quotas(name, self._pace)
                world = Backend(
                    name, lambda service: self.client(service, name), self.fault_injector, self._pace, quotas.limit
                )
                self._regions[name] = Region(world, quotas)
            return self._regions[name]
