"""The SageMaker resources of one simulated region, their tags, and the threads that work on them."""

import math
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.endpoint.runtime import ACCOUNT, RuntimeEndpoint
from simulator.faults.operation_faults import FaultInjector

VALIDATION = "ValidationException"
INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."
_REQUEST_ONLY = ("Tags", "ClientToken")  # members of a Create request that Describe does not return


class ServiceError(Exception):
    """An error response of the service: a code from its model, a message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class InvalidRequestError(ServiceError):
    """A ValidationException, the service's answer to most invalid requests."""

    def __init__(self, message: str) -> None:
        super().__init__(VALIDATION, message)


class StoppedError(Exception):
    """Background work must end: the simulator is stopping, or its resource was deleted."""


@dataclass(frozen=True)
class ResourceKind:
    """A kind of resource. `TrainingJob` has the members TrainingJobName, TrainingJobArn and TrainingJobStatus.

    The messages may contain `{arn}`.
    """

    api_name: str
    arn_part: str  # training-job in arn:aws:sagemaker:us-east-1:123456789012:training-job/name
    missing_message: str
    missing_code: str = VALIDATION
    duplicate_message: str = ""
    duplicate_code: str = VALIDATION
    running_code: str = VALIDATION  # if a job is deleted while it runs

    @property
    def name_member(self) -> str:
        """The member that holds a resource's name."""
        return f"{self.api_name}Name"

    @property
    def arn_member(self) -> str:
        """The member that holds a resource's ARN."""
        return f"{self.api_name}Arn"

    @property
    def status_member(self) -> str:
        """The member that holds a resource's status."""
        return f"{self.api_name}Status"


@dataclass
class SimulatedResource:
    """A named resource. `facts` are the members of its Describe response; `private` is for the code that runs it."""

    kind: ResourceKind
    name: str
    arn: str
    facts: dict[str, Any]
    private: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The status; "" for kinds without one."""
        return str(self.facts.get(self.kind.status_member, ""))

    @property
    def is_running(self) -> bool:
        """Whether this is a job that has not ended."""
        return self.status in ("InProgress", "Stopping")


class Backend:
    """One region's resources. Operations and background work hold `lock` while they read or change them.

    `client` returns a boto3 client of this simulator by service name: S3, logs, CloudWatch, IAM. A state that takes
    minutes on AWS takes `pace` seconds here. `limit` returns a quota's value by its name in Service Quotas, such as
    "ml.m5.large for endpoint usage".
    """

    def __init__(
        self,
        region: str,
        client: Callable[[str], Any],
        fault_injector: FaultInjector,
        pace: float = 1.0,
        limit: Callable[[str], float] = lambda name: math.inf,
    ) -> None:
        self.region = region
        self.client = client
        self.fault_injector = fault_injector
        self.pace = pace
        self.limit = limit
        self.lock = threading.RLock()
        self.resources: dict[tuple[str, str], SimulatedResource] = {}  # (part of the ARN, name) -> resource
        self.tags: dict[str, dict[str, str]] = {}  # ARN -> tags
        self.endpoints: dict[str, RuntimeEndpoint] = {}  # endpoints that answer InvokeEndpoint, by name
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC)

    def arn(self, kind: ResourceKind, name: str) -> str:
        """Return the ARN of a resource in this region."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{kind.arn_part}/{name}"

    def create(
        self, kind: ResourceKind, request: dict[str, Any], name: str = "", status: str = "", **facts: Any
    ) -> SimulatedResource:
        """Create a resource from its Create request and further facts; raises `ServiceError` if the name is taken."""
        name = name or request[kind.name_member]
        arn = self.arn(kind, name)
        if self.get(kind, name):
            raise ServiceError(kind.duplicate_code, kind.duplicate_message.format(arn=arn))
        stored = {member: value for member, value in request.items() if member not in _REQUEST_ONLY}
        stored |= {kind.arn_member: arn, "CreationTime": self.now(), **facts}
        resource = self.resources[kind.arn_part, name] = SimulatedResource(kind, name, arn, stored)
        self.tags[arn] = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
        if status:
            self.set_status(resource, status)
        return resource

    def get(self, kind: ResourceKind, name: str) -> SimulatedResource | None:
        """Return a resource, None if it does not exist."""
        return self.resources.get((kind.arn_part, name))

    def find(self, kind: ResourceKind, name: str) -> SimulatedResource:
        """Return a resource by its name or ARN; raises `ServiceError` if it does not exist."""
        name = name.rpartition(f":{kind.arn_part}/")[2]
        found = self.get(kind, name)
        if not found:
            raise ServiceError(kind.missing_code, kind.missing_message.format(arn=self.arn(kind, name)))
        return found

    def remove(self, resource: SimulatedResource) -> None:
        """Delete a resource and its tags."""
        self.resources.pop((resource.kind.arn_part, resource.name), None)
        self.tags.pop(resource.arn, None)

    def all_of(self, kind: ResourceKind) -> list[SimulatedResource]:
        """Return the resources of a kind, oldest first."""
        with self.lock:
            return [resource for resource in self.resources.values() if resource.kind is kind]

    def set_status(self, resource: SimulatedResource, status: str, reason: str = "", **facts: Any) -> None:
        """Change a resource's status and further facts; `reason` is a failure's."""
        with self.lock:
            resource.facts |= {resource.kind.status_member: status, "LastModifiedTime": self.now(), **facts}
            resource.facts.pop("FailureReason", None)
            if reason:
                resource.facts["FailureReason"] = reason

    def require_quota(self, requested: Mapping[str, int], used: Mapping[str, int]) -> None:
        """Raise `ServiceError` if a request exceeds a quota; both map quota names to amounts."""
        for name, delta in requested.items():
            limit, current = self.limit(name), used.get(name, 0)
            if delta > 0 and current + delta > limit:
                unit = " Instances" if name.startswith("ml.") else ""
                raise ServiceError(
                    "ResourceLimitExceeded",
                    f"The account-level service limit '{name}' is {limit:g}{unit}, with current utilization of "
                    f"{current}{unit} and a request delta of {delta}{unit}. Please use AWS Service Quotas to request "
                    "an increase for this quota. If AWS Service Quotas is not available, contact AWS support to "
                    "request an increase for this quota.",
                )

    def pass_time(self, paces: float = 1.0) -> None:
        """Wait for a number of paces; raises `StoppedError` if the simulator stops meanwhile."""
        if self._stopping.wait(self.pace * paces):
            raise StoppedError

    @property
    def is_stopping(self) -> bool:
        """Whether background work should end."""
        return self._stopping.is_set()

    def run_in_background(self, work: Callable[[], None], fail: Callable[[str], None]) -> None:
        """Run work in a thread that `stop` waits for.

        An unexpected exception is a bug: `fail` is called with a reason, so that no resource stays in progress for
        ever, and the traceback goes to standard error.
        """
        thread = threading.Thread(target=self._run, args=(work, fail), name=f"work-{uuid.uuid4().hex[:6]}")
        with self.lock:  # `stop` must not join a thread that has not started
            self._threads = [*self._running_threads(), thread]
            thread.start()

    def _run(self, work: Callable[[], None], fail: Callable[[str], None]) -> None:
        try:
            work()
        except StoppedError:
            return
        except Exception:
            with self.lock:
                fail(INTERNAL_ERROR)
            raise

    def stop(self) -> None:
        """Stop all background work and wait for it, including work that starts meanwhile."""
        self._stopping.set()
        while threads := self._running_threads():
            for thread in threads:
                thread.join()

    def _running_threads(self) -> list[threading.Thread]:
        with self.lock:
            return [thread for thread in self._threads if thread.is_alive()]
