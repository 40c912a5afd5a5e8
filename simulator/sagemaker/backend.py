"""What exists in one region of the simulated account, and how time passes there."""

import math
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.fault_injection import FaultInjector
from simulator.runtime import ACCOUNT, RuntimeEndpoint


class ServiceError(Exception):
    """What the service answers in place of a result: an error code of its model and a message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."


class StoppedError(Exception):
    """The simulator is stopping: whatever is under way ends here."""


@dataclass
class Resource:
    """Anything with a name: what was asked for, and what has become of it.

    `facts` is what Describe answers, by the members of its output shape; `status_key` names the member that holds the
    status. `private` is for whoever made it (a loaded container, an event that stops a job).
    """

    kind: str  # as in its ARN: training-job, model, endpoint, ...
    name: str
    arn: str
    facts: dict[str, Any]
    private: dict[str, Any] = field(default_factory=dict)


class Backend:
    """One region's resources. Operations hold `lock` while they read or change them; background work does too.

    `client` makes a boto3 client of this same simulator by service name: S3, logs, CloudWatch, IAM. A state that takes
    minutes on AWS takes `pace` seconds here; `pass_time` waits so long, or raises `StoppedError`. `limit` tells the
    value of a quota by its name in Service Quotas, such as "ml.m5.large for endpoint usage".
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
        self.resources: dict[tuple[str, str], Resource] = {}  # (kind, name) -> resource
        self.tags: dict[str, dict[str, str]] = {}  # ARN -> tags
        self.endpoints: dict[str, RuntimeEndpoint] = {}  # those that answer InvokeEndpoint, by name
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def now(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource of this region."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{kind}/{name}"

    def add(self, kind: str, name: str, facts: dict[str, Any], tags: list[dict[str, str]] | None = None) -> Resource:
        """Take a new resource in; raises `ServiceError` when its name is taken."""
        if (kind, name) in self.resources:
            raise ServiceError(
                "ResourceInUse" if kind.endswith("job") else "ValidationException",
                f'Cannot create already existing {kind} "{self.arn(kind, name)}".',
            )
        resource = Resource(kind, name, self.arn(kind, name), facts)
        self.resources[kind, name] = resource
        self.tags[resource.arn] = {tag["Key"]: tag["Value"] for tag in tags or ()}
        return resource

    def find(self, kind: str, name: str) -> Resource:
        """Return a resource; raises `ServiceError` when it is absent, in the service's words."""
        found = self.resources.get((kind, name))
        if not found:
            if kind.endswith("job"):
                raise ServiceError("ResourceNotFound", f"Requested resource not found: {self.arn(kind, name)}")
            raise ServiceError("ValidationException", f'Could not find {kind} "{self.arn(kind, name)}".')
        return found

    def remove(self, resource: Resource) -> None:
        """Forget a resource and its tags."""
        self.resources.pop((resource.kind, resource.name), None)
        self.tags.pop(resource.arn, None)

    def all_of(self, kind: str) -> list[Resource]:
        """Return the resources of a kind, oldest first."""
        return [resource for (of_kind, _), resource in self.resources.items() if of_kind == kind]

    def pass_time(self, share: float = 1.0) -> None:
        """Wait as long as a state that takes a while; raises `StoppedError` when the simulator stops meanwhile."""
        if self._stopping.wait(self.pace * share):
            raise StoppedError

    @property
    def is_stopping(self) -> bool:
        """Whether work should end."""
        return self._stopping.is_set()

    def background(self, work: Callable[[], None], fail: Callable[[str], None]) -> None:
        """Do something beside the requests, in a thread that `stop` waits for.

        Should the work end in an error that it does not know, which is a bug, `fail` is called with what to tell, so
        that nothing stays under way for ever; the traceback goes to standard error.
        """
        thread = threading.Thread(target=self._work, args=(work, fail), name=f"work-{uuid.uuid4().hex[:6]}")
        with self.lock:  # `stop` must not meet a thread that has not started
            self._threads = [*self._under_way(), thread]
            thread.start()

    def _work(self, work: Callable[[], None], fail: Callable[[str], None]) -> None:
        try:
            work()
        except StoppedError:
            return
        except Exception:
            with self.lock:
                fail(INTERNAL_ERROR)
            raise

    def stop(self) -> None:
        """End all background work and wait for it, that which other work begins meanwhile too."""
        self._stopping.set()
        while threads := self._under_way():
            for thread in threads:
                thread.join()

    def _under_way(self) -> list[threading.Thread]:
        with self.lock:
            return [thread for thread in self._threads if thread.is_alive()]
