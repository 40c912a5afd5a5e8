"""Fault injection into InvokeEndpoint.

Three kinds: errors of the service (`ERRORS`), wrong scores (`DISTORTIONS`), and the rest (`OTHERS`). Codes and statuses
are those of the service model of `sagemaker-runtime`; throttling and credential errors, which it lacks, are AWS's
common errors.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from chalicelib.errors import SentimentError
from simulator.faults.operation_faults import InjectedError


class UnknownEndpointFaultError(SentimentError):
    """A fault that does not exist, or with a wrong number of seconds."""

    type = "unknown-endpoint-fault"
    title = "The endpoint does not have this fault"
    status = 400


ERRORS = {
    "throttled": InjectedError("ThrottlingException", 400, "Rate exceeded"),
    "not-ready": InjectedError(
        "ModelNotReadyException", 429, "The model is not ready to serve requests. Try again later."
    ),
    "unavailable": InjectedError("ServiceUnavailable", 503, "The service is unavailable. Try your call again."),
    "internal-failure": InjectedError("InternalFailure", 500, "An internal failure occurred. Try your call again."),
    "dependency": InjectedError(
        "InternalDependencyException", 530, "The request failed because of an internal dependency."
    ),
    "validation": InjectedError("ValidationError", 400, "The endpoint is not in service: its status is Creating."),
    "access-denied": InjectedError(
        "AccessDeniedException", 403, "User is not authorized to perform: sagemaker:InvokeEndpoint"
    ),
    "expired-token": InjectedError(
        "ExpiredTokenException", 403, "The security token included in the request is expired"
    ),
}
DISTORTIONS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "garbage": lambda scores: [*scores[:-1], "positive"],
    "nan": lambda scores: [*scores[:-1], float("nan")],
    "out-of-range": lambda scores: [*scores[:-1], 1.5],
    "short": lambda scores: scores[:-1],
    "extra": lambda scores: [*scores, 0.5],
}
OTHERS = ("slow", "model-error", "cut", "empty")  # slow:SECONDS returns the right scores after a delay
KINDS = (*ERRORS, *DISTORTIONS, *OTHERS)


@dataclass(frozen=True)
class EndpointFault:
    """A fault; `seconds` is the delay of `slow`, 0 for all other kinds."""

    kind: str
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `throttled` or `slow:3`; raises `UnknownEndpointFaultError`."""
        kind, _, number = text.partition(":")
        if kind not in KINDS or bool(number) != (kind == "slow"):
            raise UnknownEndpointFaultError(
                f"Unknown fault {text!r}. Choose one of: {', '.join(KINDS)}. Give slow its seconds, as in slow:3."
            )
        if not number:
            return cls(kind)
        if not number.replace(".", "", 1).isdecimal():
            raise UnknownEndpointFaultError(f"{text!r}: the seconds must be a number, as in slow:3 or slow:0.5.")
        return cls(kind, float(number))


NO_FAULT = EndpointFault("")


class EndpointFaultInjector:
    """The active fault of an endpoint, and its number of requests; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault = NO_FAULT
        self._times: int | None = None  # None: until cleared
        self._requests = 0

    @property
    def requests(self) -> int:
        """The number of requests since the start, with or without a fault."""
        return self._requests

    @property
    def active(self) -> EndpointFault:
        """The fault of the next request."""
        return self._fault

    def inject(self, fault: EndpointFault, times: int | None = None) -> None:
        """Inject a fault into the next `times` requests (None: until `clear`)."""
        with self._lock:
            self._fault, self._times = fault, times

    def clear(self) -> None:
        """Remove the fault."""
        self.inject(NO_FAULT)

    def take(self) -> EndpointFault:
        """Count a request and return its fault."""
        with self._lock:
            self._requests += 1
            fault = self._fault
            if self._times is not None:
                self._times -= 1
                if self._times <= 0:
                    self._fault, self._times = NO_FAULT, None
            return fault
