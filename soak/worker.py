"""A client that sends requests to a function of its own, one after the other, and judges every response."""

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from simulator.apps.lambda_runtime import FunctionError, LambdaFunction
from soak.cases import SHARES, Case
from soak.faults import RIGHT_ANSWER, FaultTimeline
from soak.tally import UNEXPLAINED, Memory, Outcome, Tally, judge, judge_failure, memory_of

BARE_EVERY = 20  # requests: the others are not followed by one to the bare handler
Start = Callable[[], LambdaFunction]


class Worker:
    """The client, with a process of the packaged function and one of the bare handler."""

    def __init__(
        self,
        number: int,
        start: Start,
        start_bare: Start,
        cases: Mapping[str, Sequence[Case]],
        timeline: FaultTimeline,
        tally: Tally,
    ) -> None:
        self._number = number
        self._start = start
        self._cases = cases
        self._timeline = timeline
        self._tally = tally
        self._random = random.Random(number)
        self._function, self._bare = start(), start_bare()
        self._requests = 0  # to the function's process
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        """Start to send requests, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current request, and end both processes."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._function.stop()
        self._bare.stop()

    def kill(self) -> None:
        """Kill the function's process with SIGKILL, whatever it is doing."""
        with suppress(ProcessLookupError):
            os.kill(self._function.pid, signal.SIGKILL)

    @property
    def memory(self) -> Memory:
        """The memory of the function's process."""
        return Memory(self._requests, memory_of(self._function.pid))

    def _run(self) -> None:
        for count in itertools.count():
            if self._stopped.is_set():
                return
            kind = self._random.choices(list(SHARES), list(SHARES.values()))[0]
            self._send(self._random.choice(self._cases[kind]), f"soak-{self._number}-{count}")
            if count % BARE_EVERY == 0:
                self._send_to_bare()

    def _send(self, case: Case, request_id: str) -> None:
        """Send a request, and count its outcome; a function that failed is replaced."""
        position = self._timeline.position
        self._requests += 1
        started = time.perf_counter()
        try:
            response = self._function.invoke(case.numbered(request_id))
            milliseconds = (time.perf_counter() - started) * 1000
            allowed = self._timeline.allowed_since(position)
            outcome = judge(case, response, request_id, allowed)
        except FunctionError as error:
            allowed, milliseconds = self._timeline.allowed_since(position), 0.0
            outcome = judge_failure(error.detail, allowed)
            self._replace_function()
        except (ValueError, KeyError, TypeError) as error:  # a response without the fields that every response has
            allowed, milliseconds = frozenset(), 0.0
            outcome = Outcome(UNEXPLAINED, f"{case.kind}: {type(error).__name__}: {error}")
        self._tally.add(case.kind, outcome, milliseconds if allowed == {RIGHT_ANSWER} else None)

    def _send_to_bare(self) -> None:
        """Time a request to the bare handler, unless a fault is on."""
        position = self._timeline.position
        if self._timeline.allowed_since(position) != {RIGHT_ANSWER}:
            return
        started = time.perf_counter()
        with suppress(FunctionError):  # a fault was switched on meanwhile
            self._bare.invoke({})
            milliseconds = (time.perf_counter() - started) * 1000
            if self._timeline.allowed_since(position) == {RIGHT_ANSWER}:
                self._tally.add_bare(milliseconds)

    def _replace_function(self) -> None:
        self._function.stop()
        self._function, self._requests = self._start(), 0
