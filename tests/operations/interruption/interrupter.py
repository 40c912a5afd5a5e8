"""Interruption of a command at its AWS requests and pauses, by Ctrl-C or `kill -9`.

A point of a command is the moment before a request, after a request that changes something, or a pause. Ctrl-C raises
`KeyboardInterrupt` there. `kill -9` raises `KilledError`, and again at every later point, so that nothing that still
runs in a `finally` or an `except` can reach AWS: a process that was killed sends no requests.
"""

import math
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from boto3.session import Session
from botocore.config import Config

from operations.aws.account import Account
from operations.aws.command import Aws
from simulator.aws import SimulatedAws
from simulator.endpoint.runtime import ACCOUNT, REGION
from training.project import ROOT

BEFORE, AFTER, PAUSE = "before", "after", "pause"
PAUSE_SECONDS = 0.01
MAX_POINTS = 16  # of a walk, for each of Ctrl-C and `kill -9`
_READS = re.compile(r"Describe|List|Get|Head|Invoke|Simulate|BatchGet")
_CONFIG = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"}, proxies={})
_STEPS = re.compile(  # the modules that decide what to do next; the others only read for them
    r"operations/(rollout|jobs|teardown|setup)/|endpoint/(created|transition|traffic_shift)|app_settings"
)


class CtrlC(KeyboardInterrupt):
    """Ctrl-C by a walk, unlike one by the person who runs the tests."""


class KilledError(BaseException):
    """The end of a process by `kill -9`."""


@dataclass(frozen=True)
class Point:
    """A moment of a command: the number `number` (1..) of its kind, at one place of the code."""

    when: str
    operation: str
    place: str
    number: int

    @property
    def is_change(self) -> bool:
        """Whether it is at a request that changes something."""
        return self.when != PAUSE and not _READS.match(self.operation)

    def __str__(self) -> str:
        return f"{self.when} {self.operation} {self.number} ({self.place.rpartition(' ')[2]})"


class Interrupter:
    """Records the points that a command passes, and interrupts it at one of them (None: at none)."""

    def __init__(self, at: Point | None = None, how: type[BaseException] = CtrlC, longest_wait: int = 100) -> None:
        """Prepare an interruption; after `longest_wait` pauses at one place, Ctrl-C ends a wait without an end."""
        self.points: list[Point] = []
        self._longest_wait = longest_wait
        self.has_interrupted = False
        self._at, self._how = at, how
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._thread = threading.current_thread()

    def reach(self, when: str, operation: str = "") -> None:
        """Record a point, and interrupt the command there if it is the chosen one."""
        if threading.current_thread() is not self._thread:  # Ctrl-C reaches the main thread alone
            return
        if self.has_interrupted and self._how is KilledError:
            raise KilledError
        key = (when, operation, _place(is_read=bool(_READS.match(operation))))
        self._counts[key] += 1
        point = Point(*key, self._counts[key])
        self.points.append(point)
        if point == self._at:
            self.has_interrupted = True
            raise self._how
        if when == PAUSE and point.number >= self._longest_wait:
            raise CtrlC

    def pause(self, _seconds: float) -> None:
        """Pause, for the parameter `pause` of commands."""
        self.reach(PAUSE)
        time.sleep(PAUSE_SECONDS)


def _place(is_read: bool) -> str:
    """Return the calls in `operations` that lead here; of a read, those of the modules that decide what to do."""
    calls, frame = list[str](), sys._getframe(2)
    while frame := frame.f_back:  # type: ignore[assignment]
        if frame.f_code.co_filename.startswith(str(ROOT / "operations")):
            calls.insert(0, f"{Path(frame.f_code.co_filename).relative_to(ROOT)}:{frame.f_lineno}")
    while is_read and calls and not _STEPS.search(calls[-1]):
        calls.pop()
    return " ".join(calls)


@cache
def _session() -> Session:
    return Session("simulated", "simulated", region_name=REGION)


class InterruptibleClients:
    """Clients of a simulated AWS whose requests pass the current `interrupter`."""

    def __init__(self, simulated: SimulatedAws) -> None:
        self.interrupter = Interrupter()
        self._url = simulated.url
        self.client = cache(self._create)

    def _create(self, service: str, region: str = REGION) -> Any:
        client = _session().client(service, region, endpoint_url=self._url, config=_CONFIG)
        client.meta.events.register("before-send", self._handler(BEFORE))
        client.meta.events.register("response-received", self._handler(AFTER))
        return client

    def _handler(self, when: str) -> Callable[..., None]:
        def handle(event_name: str, **_: Any) -> None:
            operation = event_name.rpartition(".")[2]
            if when == BEFORE or not _READS.match(operation):
                self.interrupter.reach(when, operation)

        return handle

    def context(self, plain: Aws, interrupter: Interrupter) -> Aws:
        """Return the context of a command whose requests and pauses pass an interrupter."""
        self.interrupter = interrupter
        account = Account(ACCOUNT, REGION, "aws", plain.account.caller, self.client, self.client)
        return Aws(account, plain.console, interrupter.pause)


def points_to_interrupt(points: list[Point], how: type[BaseException], every: bool) -> list[Point]:
    """Return the points at which a walk interrupts a command that passes these points.

    All of them with `every`. Otherwise the first at each place of the code, of those before the first change one (until
    then nothing was done), and of more than `MAX_POINTS` only every second or third, for the sake of time.

    After `kill -9` no code runs, so only what was changed matters: points after a change, and the first pause that
    follows, when its work goes on.
    """
    if how is KilledError:
        points = [
            point
            for before, point in zip([None, *points], points, strict=False)
            if (point.is_change and point.when == AFTER) or (point.when == PAUSE and before and before.is_change)
        ]
    if every or not points:
        return points
    begin = next((number for number, point in enumerate(points) if point.is_change), 0)
    first: dict[tuple[str, str, str], Point] = {}
    for point in [points[0], *points[begin:]]:
        first.setdefault((point.when, point.operation if point.is_change else "", point.place), point)
    return list(first.values())[:: math.ceil(len(first) / MAX_POINTS)]
