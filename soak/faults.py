"""The faults of the soak test, each with the problem that the app documents for it.

They are all faults of the simulated endpoint, all AWS error codes of `chalicelib.endpoint_errors.FAULTS`, killed
processes, and environments in which the function cannot call any endpoint.
"""

import builtins
from dataclasses import dataclass

from botocore import exceptions

from chalicelib.endpoint_errors import (
    ABSENT,
    BAD_ANSWER,
    BUSY,
    DOWN,
    FAILED,
    FAULTS,
    MISCONFIGURED,
    MODEL_FAILED,
    SLOW,
    STARTING,
    Fault,
)
from simulator.endpoint.endpoint_site import FAULTS_PATH
from soak.endpoint_process import ERROR_PATH

SLOW_SECONDS = 0.2
TIMEOUT = "slow:20"  # longer than the client's read timeout
RIGHT_ANSWER = ""  # in place of a problem type
FUNCTION_FAILED = "function-failed"  # the worker's process has ended: API Gateway responds with 502
ENDPOINT_KILLED, WORKER_KILLED = "endpoint killed", "worker killed"


@dataclass(frozen=True)
class SoakFault:
    """A fault, the control path that switches it on, and the problem type and status of its responses."""

    name: str
    path: str
    problem: str
    status: int


_OF_SIMULATOR: dict[str, Fault | None] = {  # None: the right answer, later
    "throttled": BUSY,
    "not-ready": STARTING,
    "unavailable": DOWN,
    "internal-failure": FAILED,
    "dependency": FAILED,
    "validation": ABSENT,
    "access-denied": MISCONFIGURED,
    "expired-token": MISCONFIGURED,
    "garbage": BAD_ANSWER,
    "nan": BAD_ANSWER,
    "out-of-range": BAD_ANSWER,
    "short": BAD_ANSWER,
    "extra": BAD_ANSWER,
    "model-error": MODEL_FAILED,
    "cut": DOWN,
    "empty": BAD_ANSWER,
    f"slow:{SLOW_SECONDS}": None,
    TIMEOUT: SLOW,
}
_KEYS = {"AWS_ACCESS_KEY_ID": "soak", "AWS_SECRET_ACCESS_KEY": "soak"}
_REGION = {"AWS_DEFAULT_REGION": "us-east-1"}
MISCONFIGURATIONS = {  # name -> the environment's variables
    "no region": _KEYS,
    "invalid region": {**_KEYS, "AWS_DEFAULT_REGION": "not a region"},
    "no credentials": _REGION,
    "incomplete credentials": {**_REGION, "AWS_ACCESS_KEY_ID": "soak"},
    "invalid address": {**_KEYS, **_REGION, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:99999"},
}
STATUSES = {fault.type: fault.status for fault in FAULTS.values()}


def error_codes() -> list[str]:
    """Return the AWS error codes of the fault table; its other keys are names of exception classes."""
    return [name for name in FAULTS if not hasattr(exceptions, name) and not hasattr(builtins, name)]


def all_faults() -> list[SoakFault]:
    """Return all faults that a running endpoint can have."""
    faults = [
        SoakFault(name, f"{FAULTS_PATH}?fault={name}", fault.type if fault else "", fault.status if fault else 200)
        for name, fault in _OF_SIMULATOR.items()
    ]
    codes = [
        SoakFault(code, f"{ERROR_PATH}?code={code}", FAULTS[code].type, FAULTS[code].status) for code in error_codes()
    ]
    return [*faults, *codes]


class FaultTimeline:
    """The problem types that a request may be answered with, over time.

    A fault is switched on or off between two entries, during an entry that allows both outcomes.
    """

    def __init__(self) -> None:
        self._entries = [frozenset({RIGHT_ANSWER})]

    def set(self, *problems: str) -> None:
        """Allow these problem types (`RIGHT_ANSWER`: an answer) from now on, and no others."""
        self._entries.append(frozenset(problems))

    @property
    def position(self) -> int:
        """The position of the current entry."""
        return len(self._entries) - 1

    def allowed_since(self, position: int) -> frozenset[str]:
        """Return what a request may be answered with that was sent during an entry and has been answered now."""
        return frozenset().union(*self._entries[position:])
