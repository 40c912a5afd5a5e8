"""Fault injection into AWS operations.

Two kinds: `REQUEST_ERRORS` reject the request with an error; `BACKGROUND_FAULTS` accept it, and the work that it starts
fails later. Both are injected in Python, or over HTTP (see `simulator.admin_api`).
"""

import threading
from dataclasses import dataclass

from chalicelib.errors import SentimentError


class UnknownFaultError(SentimentError):
    """A fault that does not exist."""

    type = "unknown-fault"
    title = "The simulator does not have this fault"
    status = 400


@dataclass(frozen=True)
class InjectedError:
    """An error of an AWS service."""

    code: str
    status: int  # HTTP
    message: str


REQUEST_ERRORS = {
    "denied": InjectedError(
        "AccessDeniedException",
        400,
        "User: arn:aws:iam::123456789012:user/rehearsal is not authorized to perform: {action} on resource: * because "
        "no identity-based policy allows the {action} action",
    ),
    "throttled": InjectedError("ThrottlingException", 400, "Rate exceeded"),
    "unavailable": InjectedError("ServiceUnavailable", 503, "The service is unavailable."),
    "limit": InjectedError(
        "ResourceLimitExceeded",
        400,
        "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances, with current utilization of "
        "0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for "
        "this quota.",
    ),
    "expired": InjectedError("ExpiredTokenException", 400, "The security token included in the request is expired"),
}
# The started work fails, never ends, finds no instance, takes long, or loses its spot instance once.
BACKGROUND_FAULTS = ("fail", "stuck", "capacity", "slow", "interrupt")


class FaultInjector:
    """The active faults, by operation; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, tuple[str, int | None]] = {}  # operation -> (kind, uses left; None: until cleared)

    def inject(self, operation: str, kind: str, times: int | None = None) -> None:
        """Inject a fault into the next `times` calls of an operation (None: until `clear`).

        Raises `UnknownFaultError`.
        """
        kinds = [*REQUEST_ERRORS, *BACKGROUND_FAULTS]
        if kind not in kinds:
            raise UnknownFaultError(f"Unknown fault {kind!r}. Choose one of: {', '.join(kinds)}.")
        with self._lock:
            self._faults[operation] = (kind, times)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    @property
    def active(self) -> dict[str, str]:
        """The active faults: operation -> kind."""
        with self._lock:
            return {operation: kind for operation, (kind, _) in self._faults.items()}

    def take_error(self, operation: str, service: str = "sagemaker") -> InjectedError | None:
        """Use the error that is injected into an operation; None if there is none."""
        kind = self._take(operation, tuple(REQUEST_ERRORS))
        if not kind:
            return None
        error = REQUEST_ERRORS[kind]
        return InjectedError(error.code, error.status, error.message.replace("{action}", f"{service}:{operation}"))

    def take_background_fault(self, operation: str) -> str:
        """Use the background fault that is injected into an operation; "" if there is none."""
        return self._take(operation, BACKGROUND_FAULTS)

    def _take(self, operation: str, kinds: tuple[str, ...]) -> str:
        """Use a fault of these kinds."""
        with self._lock:
            kind, times = self._faults.get(operation, ("", None))
            if kind not in kinds:
                return ""
            if times is not None:
                if times <= 1:
                    del self._faults[operation]
                else:
                    self._faults[operation] = (kind, times - 1)
            return kind
