"""A run of the soak test: workers that send requests, and the schedule of the faults under them."""

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cold_start import BARE_HANDLER
from benchmarks.local_server import free_port
from chalicelib import release
from chalicelib.endpoint import endpoint_name
from simulator.apps.lambda_package import package_project, unpack
from simulator.apps.lambda_runtime import FunctionError, LambdaFunction, new_trace_id, provide_runtime
from soak.cases import SHORT, Case, build_cases
from soak.endpoint_process import EndpointProcess
from soak.faults import (
    ENDPOINT_KILLED,
    FUNCTION_FAILED,
    MISCONFIGURATIONS,
    RIGHT_ANSWER,
    TIMEOUT,
    WORKER_KILLED,
    FaultTimeline,
    SoakFault,
    all_faults,
)
from soak.tally import CONSTANT, UNIQUE, Tally, judge, judge_failure
from soak.worker import Worker

TIMEOUT_ROUNDS = 10  # a round with the timeout fault, for which all workers wait 15 s, and nine without it
DOWN = "endpoint-down"
NO_AWS_FILES = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
NO_AWS_FILES |= {"AWS_CONFIG_FILE": "/dev/null", "AWS_MAX_ATTEMPTS": "1"}


@dataclass(frozen=True)
class Limits:
    """When a run ends, whichever comes first, and the requests with each fault and between two faults.

    There are fewer between two faults of the first round, so that a short run has all of them.
    """

    requests: int = 20_000
    seconds: float = 180.0
    with_fault: int = 4
    between_first: int = 20
    without_fault: int = 150


@dataclass
class Soak:
    """The parts of a run."""

    limits: Limits
    endpoint: EndpointProcess
    workers: Sequence[Worker]
    timeline: FaultTimeline
    tally: Tally
    deadline: float  # of time.monotonic
    on_round: Callable[[Tally], None]  # called after each round of faults

    def run(self, faults: Sequence[SoakFault]) -> None:
        """Send requests while faults are switched on and off, and processes are killed, in turns."""
        for worker in self.workers:
            worker.begin()
        for each, requests in self._schedule(faults):
            self._wait(requests)
            if self.is_over:
                return
            self._apply(each)
            for name, worker in zip((UNIQUE, CONSTANT), self.workers, strict=False):
                self.tally.memory[name].append(worker.memory)

    def _schedule(self, faults: Sequence[SoakFault]) -> Iterator[tuple[SoakFault | str, int]]:
        """Yield the faults, round after round, each with the number of requests before it."""
        for number in itertools.count():
            requests = self.limits.without_fault if number else self.limits.between_first
            chosen: list[SoakFault | str] = [ENDPOINT_KILLED, WORKER_KILLED]
            chosen += [fault for fault in faults if fault.name != TIMEOUT or number % TIMEOUT_ROUNDS == 0]
            for each in chosen:
                yield each, requests
            self.on_round(self.tally)

    @property
    def is_over(self) -> bool:
        """Whether a limit of the run is reached."""
        return self.tally.requests >= self.limits.requests or time.monotonic() >= self.deadline

    def _wait(self, requests: int) -> None:
        """Wait until a number of further requests has been answered, or the run is over."""
        target = self.tally.requests + requests
        self._wait_until(lambda: self.tally.requests >= target or self.is_over)

    def _wait_until(self, is_reached: Callable[[], bool]) -> None:
        """Wait until a condition of the tally holds."""
        with self.tally.changed:
            while not is_reached():
                self.tally.changed.wait(timeout=1.0)

    def _apply(self, fault: SoakFault | str) -> None:
        """Put a fault under some requests."""
        if fault == WORKER_KILLED:
            self._kill_worker()
        elif fault == ENDPOINT_KILLED:
            self._kill_endpoint()
        elif isinstance(fault, SoakFault):
            self._switch_on_and_off(fault)
        self.tally.faults[fault.name if isinstance(fault, SoakFault) else fault] += 1

    def _switch_on_and_off(self, fault: SoakFault) -> None:
        self.timeline.set(RIGHT_ANSWER, fault.problem)
        self.endpoint.inject(fault.path)
        self.timeline.set(fault.problem)
        self._wait(1 if fault.name == TIMEOUT else self.limits.with_fault)  # each takes 15 s
        self.timeline.set(RIGHT_ANSWER, fault.problem)
        self.endpoint.clear()
        self.timeline.set(RIGHT_ANSWER)

    def _kill_endpoint(self) -> None:
        self.timeline.set(RIGHT_ANSWER, DOWN)
        self.endpoint.kill()
        self.timeline.set(DOWN)
        self._wait(self.limits.with_fault)
        self.timeline.set(RIGHT_ANSWER, DOWN)
        self.endpoint.restart()
        self.timeline.set(RIGHT_ANSWER)

    def _kill_worker(self) -> None:
        """Kill the last worker; the memory of the others is measured."""
        self.timeline.set(RIGHT_ANSWER, FUNCTION_FAILED)
        self.workers[-1].kill()
        self._wait(self.limits.without_fault)
        self.timeline.set(RIGHT_ANSWER)


@dataclass(frozen=True)
class Functions:
    """Start processes of the packaged function and of the bare handler."""

    package: Path
    bare: Path
    runtime: Path
    environment: dict[str, str]

    def start(self) -> LambdaFunction:
        """Start the packaged function."""
        return LambdaFunction(self.package, self.runtime, "app.app", self.environment)

    def start_with_one_trace_id(self) -> LambdaFunction:
        """Start the packaged function, whose requests all have the same trace id."""
        trace_id = new_trace_id()
        return LambdaFunction(self.package, self.runtime, "app.app", self.environment, trace_id=lambda: trace_id)

    def start_bare(self) -> LambdaFunction:
        """Start the bare handler."""
        return LambdaFunction(self.bare, self.runtime, "app.app", self.environment)

    def start_misconfigured(self, variables: dict[str, str]) -> LambdaFunction:
        """Start the packaged function without the configuration of AWS, except these variables."""
        environment = {**NO_AWS_FILES, "ENDPOINT_NAME": self.environment["ENDPOINT_NAME"], **variables}
        return LambdaFunction(self.package, self.runtime, "app.app", environment)


def run(
    limits: Limits,
    faults: Sequence[SoakFault] | None = None,
    on_round: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Package the project and run the soak test; raises `SentimentError` if a process cannot be started.

    `on_round` is called after each round of faults.
    """
    tally, timeline = Tally(), FaultTimeline()
    cases = build_cases()
    name = endpoint_name(release.load().encoder.fingerprint)
    with tempfile.TemporaryDirectory() as folder, EndpointProcess(name, free_port()) as endpoint:
        functions = _functions(Path(folder), endpoint)
        _run_misconfigured(functions, cases[SHORT][0], tally)
        with _workers(functions, cases, timeline, tally) as workers:
            soak = Soak(limits, endpoint, workers, timeline, tally, time.monotonic() + limits.seconds, on_round)
            soak.run(all_faults() if faults is None else faults)
    return tally


def _functions(folder: Path, endpoint: EndpointProcess) -> Functions:
    """Package and unpack the project, and write the bare handler."""
    package = unpack(package_project(folder).archive, folder / "task")
    bare = folder / "bare"
    bare.mkdir()
    (bare / "app.py").write_text(BARE_HANDLER, encoding="utf-8")
    environment = {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint.url,
        "AWS_ACCESS_KEY_ID": "soak",
        "AWS_SECRET_ACCESS_KEY": "soak",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENDPOINT_NAME": endpoint.name,
        **NO_AWS_FILES,
    }
    return Functions(package, bare, provide_runtime(folder / "runtime"), environment)


@contextmanager
def _workers(
    functions: Functions, cases: dict[str, list[Case]], timeline: FaultTimeline, tally: Tally
) -> Iterator[list[Worker]]:
    """Create the workers, and stop them afterwards: those of `UNIQUE` and `CONSTANT`, and one to be killed."""
    starts = (functions.start, functions.start_with_one_trace_id, functions.start)
    with ExitStack() as running:
        workers = []
        for number, start in enumerate(starts):
            workers.append(Worker(number, start, functions.start_bare, cases, timeline, tally))
            running.callback(workers[-1].stop)
        yield workers


def _run_misconfigured(functions: Functions, case: Case, tally: Tally) -> None:
    """Send a request to a function in each environment that cannot call an endpoint."""
    allowed = frozenset({"misconfigured"})
    for name, variables in MISCONFIGURATIONS.items():
        with functions.start_misconfigured(variables) as function:
            try:
                outcome = judge(case, function.invoke(case.numbered("soak")), "soak", allowed)
            except FunctionError as error:
                outcome = judge_failure(error.detail, allowed)
        tally.add(case.kind, outcome, None)
        tally.faults[name] += 1
