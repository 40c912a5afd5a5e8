"""What the endpoint on this machine can be told to do wrong, and for how many requests.

Three kinds: errors of the service (`ERRORS`, by their codes on the wire), scores that are not what they should be
(`DISTORTIONS`), and the rest (`OTHERS`): slow, cut off, no content. Codes and statuses are those of the service model
of `sagemaker-runtime`; those that are not modelled (throttling, credentials) are AWS's common errors.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from chalicelib.errors import SentimentError


class UnknownMisbehaviourError(SentimentError):
    """A misbehaviour that is not in the tables, or one with a wrong number."""

    type = "unknown-misbehaviour"
    title = "The endpoint cannot misbehave like that"
    status = 400


@dataclass(frozen=True)
class WireError:
    """An error of the service: its code, its HTTP status, and what the message says."""

    code: str
    status: int
    message: str


THROTTLED = WireError("ThrottlingException", 400, "Rate exceeded")
NOT_READY = WireError("ModelNotReadyException", 429, "The model is not ready to serve requests. Try again later.")
UNAVAILABLE = WireError("ServiceUnavailable", 503, "The service is unavailable. Try your call again.")
INTERNAL = WireError("InternalFailure", 500, "An internal failure occurred. Try your call again.")
DEPENDENCY = WireError("InternalDependencyException", 530, "The request failed because of an internal dependency.")
CREATING = WireError("ValidationError", 400, "The endpoint is not in service: its status is Creating.")
DENIED = WireError("AccessDeniedException", 403, "User is not authorized to perform: sagemaker:InvokeEndpoint")
EXPIRED = WireError("ExpiredTokenException", 403, "The security token included in the request is expired")

ERRORS = {
    "throttled": THROTTLED,
    "not-ready": NOT_READY,
    "unavailable": UNAVAILABLE,
    "internal-failure": INTERNAL,
    "dependency": DEPENDENCY,
    "validation": CREATING,
    "access-denied": DENIED,
    "expired-token": EXPIRED,
}
DISTORTIONS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "garbage": lambda scores: [*scores[:-1], "positive"],
    "nan": lambda scores: [*scores[:-1], float("nan")],
    "out-of-range": lambda scores: [*scores[:-1], 1.5],
    "short": lambda scores: scores[:-1],
    "extra": lambda scores: [*scores, 0.5],
}
OTHERS = ("slow", "model-error", "cut", "empty")  # slow:SECONDS answers rightly, after that long
KINDS = (*ERRORS, *DISTORTIONS, *OTHERS)


@dataclass(frozen=True)
class Misbehaviour:
    """One way to misbehave; `seconds` is how long `slow` takes, 0 for every other kind."""

    kind: str
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `throttled` or `slow:3`; raises `UnknownMisbehaviourError` with the list of kinds."""
        kind, _, number = text.partition(":")
        if kind not in KINDS or bool(number) != (kind == "slow"):
            raise UnknownMisbehaviourError(
                f"{text!r} is no misbehaviour. Choose one of: {', '.join(KINDS)}; slow takes seconds, as in slow:3."
            )
        if not number:
            return cls(kind)
        if not number.replace(".", "", 1).isdecimal():
            raise UnknownMisbehaviourError(f"{text!r}: the seconds must be a number, as in slow:3 or slow:0.5.")
        return cls(kind, float(number))


GOOD = Misbehaviour("")  # answers as the container does


class Orders:
    """How the endpoint must behave, request by request; may be changed and read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._order = GOOD
        self._requests_left: int | None = None  # None: until told otherwise
        self._requests = 0

    @property
    def requests(self) -> int:
        """How many requests have been taken since the start, misbehaved ones included."""
        return self._requests

    @property
    def current(self) -> Misbehaviour:
        """What the next request will meet."""
        return self._order

    def misbehave(self, misbehaviour: Misbehaviour, times: int | None = None) -> None:
        """Misbehave for the next `times` requests, or, with None, until told otherwise."""
        with self._lock:
            self._order, self._requests_left = misbehaviour, times

    def behave(self) -> None:
        """Answer rightly from the next request on."""
        self.misbehave(GOOD)

    def take(self) -> Misbehaviour:
        """Count one request and return how it must be answered."""
        with self._lock:
            self._requests += 1
            order = self._order
            if self._requests_left is not None:
                self._requests_left -= 1
                if self._requests_left <= 0:
                    self._order, self._requests_left = GOOD, None
            return order
