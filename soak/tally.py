"""The outcomes, response times and memory of a soak test."""

import math
import threading
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from soak.cases import Case, body_of
from soak.faults import FUNCTION_FAILED, RIGHT_ANSWER, STATUSES

RIGHT, WRONG, UNEXPLAINED = "right answer", "wrong answer", "unexplained error"
BARE = "bare handler"
MAX_EXAMPLES = 5  # of failures, kept for the report
UNIQUE, CONSTANT = "a trace id per request", "one trace id"  # the workers whose memory is measured
FUNCTION_BYTES = 1024 * 2**20  # lambda_memory_size in .chalice/config.json
ENVIRONMENT_REQUESTS = 1_000_000  # of an execution environment, which Lambda replaces every few hours
MAX_BYTES_PER_REQUEST = 100  # that the worker of `CONSTANT` grows by
MIN_REQUESTS = 5_000  # of a worker; with fewer, its growth is not judged


class Memory(NamedTuple):
    """The anonymous resident memory of a worker's process in bytes, after a number of its requests."""

    requests: int
    bytes: int


@dataclass(frozen=True)
class Outcome:
    """What a request resulted in: `RIGHT`, `WRONG`, `UNEXPLAINED`, or the type of an allowed problem."""

    name: str
    detail: str = ""


def judge(case: Case, response: dict[str, object], request_id: str, allowed: frozenset[str]) -> Outcome:
    """Compare a response with its case and with the problems that are allowed; see `FaultTimeline`."""
    status, body = response["statusCode"], body_of(response, request_id)
    if (status, body) == (case.status, case.body):
        if RIGHT_ANSWER in allowed or not case.calls_endpoint:
            return Outcome(RIGHT)
        return Outcome(WRONG, f"{case.kind}: answered, although only {sorted(allowed)} was possible")
    if case.calls_endpoint and isinstance(body, str) and body in allowed and STATUSES.get(body) == status:
        return Outcome(body)
    expected = f"expected {case.status} {str(case.body)[:300]}, or one of {sorted(allowed)}"
    detail = f"{case.kind}: {status} {str(body)[:300]}, {expected}"
    return Outcome(WRONG if status == 200 else UNEXPLAINED, detail)


def judge_failure(detail: str, allowed: frozenset[str]) -> Outcome:
    """Return the outcome of a request whose function failed, which only a killed worker explains."""
    return Outcome(FUNCTION_FAILED) if FUNCTION_FAILED in allowed else Outcome(UNEXPLAINED, detail)


@dataclass
class Tally:
    """All outcomes so far; thread-safe."""

    requests: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    milliseconds: dict[str, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    memory: dict[str, list[Memory]] = field(default_factory=lambda: defaultdict(list))  # of `UNIQUE` and `CONSTANT`
    faults: Counter[str] = field(default_factory=Counter)  # how many times each was switched on
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, kind: str, outcome: Outcome, milliseconds: float | None) -> None:
        """Count a request; its time is None if a fault was on."""
        with self.changed:
            self.requests += 1
            self.kinds[kind] += 1
            self.outcomes[outcome.name] += 1
            if outcome.detail and len(self.examples) < MAX_EXAMPLES:
                self.examples.append(f"{outcome.name}: {outcome.detail}")
            if milliseconds is not None:
                self.milliseconds[kind].append(milliseconds)
            self.changed.notify_all()

    def add_bare(self, milliseconds: float) -> None:
        """Add the response time of the bare handler."""
        with self.changed:
            self.milliseconds[BARE].append(milliseconds)

    def percentile(self, kind: str, percent: float) -> float:
        """Return a percentile of the response times of a kind in milliseconds; NaN without any."""
        values = self.milliseconds.get(kind)
        return float(np.percentile(np.frombuffer(values), percent)) if values else float("nan")

    def bytes_per_request(self, worker: str) -> float:
        """Return the slope of a line through the memory in the second half of a worker's requests, by least squares.

        NaN if there were too few requests: the start, and the allocator's steps, would dominate.
        """
        samples = self.memory[worker]
        requests = samples[-1].requests if samples else 0
        if requests < MIN_REQUESTS:
            return math.nan
        late = np.array([each for each in samples if each.requests >= requests / 2], np.float64)
        return float(np.polyfit(late[:, 0], late[:, 1], deg=1)[0])

    @property
    def memory_fits(self) -> bool | None:
        """Whether the memory stays within Lambda's as long as an execution environment lives; None if undecided.

        With one trace id, nothing is known to grow. With a trace id per request, the runtime client's memory grows.
        """
        growth = self.bytes_per_request(UNIQUE), self.bytes_per_request(CONSTANT)
        if any(map(math.isnan, growth)):
            return None
        last = self.memory[UNIQUE][-1].bytes
        return last + growth[0] * ENVIRONMENT_REQUESTS <= FUNCTION_BYTES and growth[1] <= MAX_BYTES_PER_REQUEST

    @property
    def failed(self) -> bool:
        """Whether the soak test found a fault of the app."""
        return bool(self.outcomes[WRONG] or self.outcomes[UNEXPLAINED]) or self.memory_fits is False


def memory_of(pid: int) -> int:
    """Return the anonymous resident memory of a process in bytes; 0 where there is no /proc, or the process has ended.

    Pages of files, which the kernel can drop and load again, are not counted.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon")), 0)
