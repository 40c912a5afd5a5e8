"""Deployed Lambda functions: their unpacked packages, and the processes that run them.

A process handles one request at a time. New code or a new environment applies to the next request; requests in progress
end in the process that they began in. Not simulated: idle processes being frozen or ended.
"""

import io
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulator.apps.lambda_runtime import FunctionError, LambdaFunction, provide_runtime
from simulator.moto.moto_services import Function

CONCURRENCY = 2  # processes of a function
OnLine = Callable[[str], None]  # called with each line that a process prints


class FunctionVersion:
    """A version of a function. Requests start its processes, `CONCURRENCY` at most."""

    def __init__(self, function: Function, start: Callable[[], LambdaFunction]) -> None:
        self.function = function
        self._start = start
        self._slots = threading.Semaphore(CONCURRENCY)
        self._lock = threading.Lock()
        self._idle: list[LambdaFunction] = []
        self._busy: set[LambdaFunction] = set()
        self._retired = self._stopped = False

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Return the function's result for an event; raises `FunctionError`."""
        with self._slots:
            process = self._acquire()
            try:
                result = process.invoke(event)
            except FunctionError:
                with self._lock:
                    self._busy.discard(process)
                process.stop()
                raise
            self._release(process)
            return result

    def retire(self) -> None:
        """Stop idle processes now, and busy processes after their request."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.stop()

    def stop(self) -> None:
        """Stop all processes now, and start no more."""
        with self._lock:
            self._stopped = True
            busy = list(self._busy)
        self.retire()
        for process in busy:
            process.stop()

    def _acquire(self) -> LambdaFunction:
        """Return an idle process, or a new process; raises `FunctionError`."""
        with self._lock:
            process = self._idle.pop() if self._idle else None
        process = process or self._start()
        with self._lock:  # `stop` may have been called meanwhile
            if not self._stopped:
                self._busy.add(process)
                return process
        process.stop()
        raise FunctionError("The function has been stopped.")

    def _release(self, process: LambdaFunction) -> None:
        with self._lock:
            self._busy.discard(process)
            if not self._retired:
                self._idle.append(process)
                return
        process.stop()


class Functions:
    """The account's functions that have been invoked, each in its newest version."""

    def __init__(
        self,
        find: Callable[[str, str], Function | None],
        environment: Callable[[str], Mapping[str, str]],
        log_stream: Callable[[str, str], OnLine],
    ) -> None:
        """`find` returns the current version of a function by region and name.

        `environment` returns what every function of a region gets. `log_stream` creates the callback for the lines of a
        process, by region and function.
        """
        self._find = find
        self._environment = environment
        self._log_stream = log_stream
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-")
        self._runtime = provide_runtime(Path(self._folder.name) / "runtime")
        self._deployments: dict[tuple[str, str], FunctionVersion] = {}  # (region, name) ->
        self._stopped = False

    def invoke(self, region: str, name: str, event: Mapping[str, Any]) -> Any:
        """Return a function's result for an event; raises `FunctionError`."""
        return self._deployment(region, name).invoke(event)

    def remove(self, region: str, name: str) -> None:
        """Stop the processes of a deleted function."""
        with self._lock:
            deployment = self._deployments.pop((region, name), None)
        if deployment:
            deployment.retire()

    def stop(self) -> None:
        """Stop all processes, and delete all unpacked packages."""
        with self._lock:
            self._stopped = True
        for deployment in list(self._deployments.values()):
            deployment.stop()
        self._folder.cleanup()

    def _deployment(self, region: str, name: str) -> FunctionVersion:
        """Return the deployment of a function's newest version; creates it if the function is new or has changed."""
        with self._lock:
            function = None if self._stopped else self._find(region, name)
            if not function:
                raise FunctionError(f"There is no function {name}.")
            previous = self._deployments.get((region, name))
            if previous and previous.function == function:
                return previous
            package = _unpack(function.code, Path(self._folder.name))
            deployment = FunctionVersion(function, lambda: self._start(region, function, package))
            self._deployments[region, name] = deployment
        if previous:
            previous.retire()
        return deployment

    def _start(self, region: str, function: Function, package: Path) -> LambdaFunction:
        """Start a process of a function."""
        environment = {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            **self._environment(region),
            **dict(function.environment),
        }
        on_line = self._log_stream(region, function.name)
        return LambdaFunction(package, self._runtime, function.handler, environment, on_line)


def _unpack(code: bytes, folder: Path) -> Path:
    """Unpack a package into a new folder; raises `FunctionError` unless it is a zip."""
    package = Path(tempfile.mkdtemp(prefix="task-", dir=folder))
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            archive.extractall(package)
    except zipfile.BadZipFile as error:
        raise FunctionError("The function's package is not a zip.") from error
    return package
