"""What goes wrong on demand when the simulated AWS is asked to do something, operation by operation.

`refuse` kinds answer the request with an error; `BACKGROUND` kinds let it through, and what it began goes wrong later.
`PUT /_simulator/mishaps?operation=CreateEndpoint&as=stuck&times=1` orders one; without `times` it stays until DELETE.
"""

import threading
from dataclasses import dataclass

from chalicelib.errors import SentimentError


class UnknownMishapError(SentimentError):
    """A mishap that is not in the tables."""

    type = "unknown-mishap"
    title = "This cannot go wrong on demand"
    status = 400


@dataclass(frozen=True)
class Refusal:
    """An error of the service: its code, its HTTP status, and what it says; `{operation}` is filled in."""

    code: str
    status: int
    message: str


REFUSALS = {
    "denied": Refusal(
        "AccessDeniedException",
        400,
        "User: arn:aws:iam::123456789012:user/rehearsal is not authorized to perform: {action} on resource: * because "
        "no identity-based policy allows the {action} action",
    ),
    "throttled": Refusal("ThrottlingException", 400, "Rate exceeded"),
    "unavailable": Refusal("ServiceUnavailable", 503, "The service is unavailable."),
    "limit": Refusal(
        "ResourceLimitExceeded",
        400,
        "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances, with current utilization of "
        "0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for "
        "this quota.",
    ),
    "expired": Refusal("ExpiredTokenException", 400, "The security token included in the request is expired"),
}
BACKGROUND = (
    "fail",
    "stuck",
    "capacity",
    "slow",
    "interrupt",
)  # what an operation began: fails, never ends, finds no machine, drags, loses its spot machine once


class FaultInjector:
    """The orders; read and changed from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, tuple[str, int | None]] = {}  # operation -> (kind, times left; None: until told)

    def order(self, operation: str, kind: str, times: int | None = None) -> None:
        """Let an operation go wrong from now on; raises `UnknownMishapError`."""
        if kind not in REFUSALS and kind not in BACKGROUND:
            raise UnknownMishapError(f"{kind!r} is no mishap. Choose one of: {', '.join([*REFUSALS, *BACKGROUND])}.")
        with self._lock:
            self._orders[operation] = (kind, times)

    def clear(self) -> None:
        """Let everything go right from now on."""
        with self._lock:
            self._orders.clear()

    @property
    def ordered(self) -> dict[str, str]:
        """What goes wrong now: operation -> kind."""
        with self._lock:
            return {operation: kind for operation, (kind, _) in self._orders.items()}

    def refusal(self, operation: str, service: str = "sagemaker") -> Refusal | None:
        """Take the refusal that was ordered for an operation, if one was."""
        kind = self._take(operation, tuple(REFUSALS))
        if not kind:
            return None
        refusal = REFUSALS[kind]
        message = refusal.message.replace("{action}", f"{service}:{operation}")
        return Refusal(refusal.code, refusal.status, message)

    def background(self, operation: str) -> str:
        """Take the background mishap that was ordered for what an operation begins; "" for none."""
        return self._take(operation, BACKGROUND)

    def _take(self, operation: str, kinds: tuple[str, ...]) -> str:
        """Take an order of these kinds, and count it."""
        with self._lock:
            kind, times = self._orders.get(operation, ("", None))
            if kind not in kinds:
                return ""
            if times is not None:
                if times <= 1:
                    del self._orders[operation]
                else:
                    self._orders[operation] = (kind, times - 1)
            return kind
