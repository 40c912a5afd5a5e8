"""The outcomes, response times and memory of a soak test."""

import threading
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from soak.cases import Case, body_of
from soak.faults import FUNCTION_FAILED, RIGHT_ANSWER, STATUSES

RIGHT, WRONG, UNEXPLAINED = "right answer", "wrong answer", "unexplained error"
BARE = "bare handler"
MAX_EXAMPLES = 5  # of failures, kept for the report
MAX_GROWTH = 0.05  # of the worker's memory, from the second quarter of the run to the last
MIN_SAMPLES = 40  # of memory; with fewer, the growth is printed and not judged


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
    memory_bytes: list[int] = field(default_factory=list)  # of one worker
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

    @property
    def growth(self) -> float:
        """The growth of the worker's memory, as a share: the medians of the last and of the second quarter."""
        quarter = len(self.memory_bytes) // 4
        if not quarter:
            return 0.0
        early, late = self.memory_bytes[quarter : 2 * quarter], self.memory_bytes[-quarter:]
        return float(np.median(late) / np.median(early)) - 1

    @property
    def is_flat(self) -> bool | None:
        """Whether the memory stayed flat; None if there are too few samples to decide."""
        return self.growth <= MAX_GROWTH if len(self.memory_bytes) >= MIN_SAMPLES else None

    @property
    def failed(self) -> bool:
        """Whether the soak test found a fault of the app."""
        return bool(self.outcomes[WRONG] or self.outcomes[UNEXPLAINED]) or self.is_flat is False


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 where there is no /proc, or the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)
