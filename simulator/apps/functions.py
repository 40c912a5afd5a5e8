"""Deployed Lambda functions: their packages unpacked, and the processes that run them.

A process handles one request at a time. New code, or a new environment, is what the next request meets; requests that
are under way end in the process they began in. What it does not do: freeze or end processes that are idle.
"""

import io
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulator.apps.lambda_runtime import FunctionError, LambdaFunction, provide_runtime
from simulator.moto_services import Function

CONCURRENT = 2  # processes of one function
Told = Callable[[str], None]  # called with each line that a process prints


class Deployment:
    """One version of a function. Processes are started as requests need them, `CONCURRENT` at most."""

    def __init__(self, function: Function, start: Callable[[], LambdaFunction]) -> None:
        self.function = function
        self._start = start
        self._slots = threading.Semaphore(CONCURRENT)
        self._lock = threading.Lock()
        self._idle: list[LambdaFunction] = []
        self._busy: set[LambdaFunction] = set()
        self._retired = self._stopped = False

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Return what the function returns for an event; raises `FunctionError`."""
        with self._slots:
            process = self._take()
            try:
                answer = process.invoke(event)
            except FunctionError:
                with self._lock:
                    self._busy.discard(process)
                process.stop()
                raise
            self._give_back(process)
            return answer

    def retire(self) -> None:
        """End the processes that are idle now, and every other once it has answered."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.stop()

    def stop(self) -> None:
        """End all processes now, and start no more."""
        with self._lock:
            self._stopped = True
            busy = list(self._busy)
        self.retire()
        for process in busy:
            process.stop()

    def _take(self) -> LambdaFunction:
        """Return a process that has nothing to do, a new one where there is none; raises `FunctionError`."""
        with self._lock:
            process = self._idle.pop() if self._idle else None
        process = process or self._start()
        with self._lock:  # it took a while to start
            if not self._stopped:
                self._busy.add(process)
                return process
        process.stop()
        raise FunctionError("The function has been stopped.")

    def _give_back(self, process: LambdaFunction) -> None:
        with self._lock:
            self._busy.discard(process)
            if not self._retired:
                self._idle.append(process)
                return
        process.stop()


class Functions:
    """The functions of the account that have been asked, each as its newest version stands."""

    def __init__(
        self,
        find: Callable[[str, str], Function | None],
        environment: Callable[[str], Mapping[str, str]],
        told: Callable[[str, str], Told],
    ) -> None:
        """`find` returns a function by region and name, as it stands.

        `environment` is what every function of a region gets; `told` makes what is told its lines.
        """
        self._find = find
        self._environment = environment
        self._told = told
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-")
        self._runtime = provide_runtime(Path(self._folder.name) / "runtime")
        self._deployments: dict[tuple[str, str], Deployment] = {}  # (region, name) ->
        self._stopped = False

    def invoke(self, region: str, name: str, event: Mapping[str, Any]) -> Any:
        """Return what a function returns for an event; raises `FunctionError`."""
        return self._deployment(region, name).invoke(event)

    def forget(self, region: str, name: str) -> None:
        """End the processes of a function that was deleted."""
        with self._lock:
            deployment = self._deployments.pop((region, name), None)
        if deployment:
            deployment.retire()

    def stop(self) -> None:
        """End all processes, and forget all packages."""
        with self._lock:
            self._stopped = True
        for deployment in list(self._deployments.values()):
            deployment.stop()
        self._folder.cleanup()

    def _deployment(self, region: str, name: str) -> Deployment:
        """Return the deployment of a function's newest version, made now when the function is new or has changed."""
        with self._lock:
            function = None if self._stopped else self._find(region, name)
            if not function:
                raise FunctionError(f"There is no function {name}.")
            before = self._deployments.get((region, name))
            if before and before.function == function:
                return before
            package = _unpacked(function.code, Path(self._folder.name))
            made = Deployment(function, lambda: self._started(region, function, package))
            self._deployments[region, name] = made
        if before:
            before.retire()
        return made

    def _started(self, region: str, function: Function, package: Path) -> LambdaFunction:
        """Start a process of a function."""
        environment = {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            **self._environment(region),
            **dict(function.environment),
        }
        told = self._told(region, function.name)
        return LambdaFunction(package, self._runtime, function.handler, environment, told)


def _unpacked(code: bytes, folder: Path) -> Path:
    """Unpack a package into a new folder; raises `FunctionError` for one that is no zip."""
    package = Path(tempfile.mkdtemp(prefix="task-", dir=folder))
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            archive.extractall(package)
    except zipfile.BadZipFile as error:
        raise FunctionError("The function's package is no zip.") from error
    return package
