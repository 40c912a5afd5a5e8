"""AWS Lambda's runtime: an unpacked deployment package, run by the real runtime client.

The client (`awslambdaric`) is the program that runs Python functions on Lambda; it gets events from the Runtime API,
which this module serves on a loopback port. The function's process sees its package, boto3 and the client, as on
Lambda, and nothing else of this environment. Not simulated: memory limits, freezing, layers.
Source: "Using the Lambda runtime API" in the AWS Lambda developer guide.
"""

import json
import os
import queue
import subprocess
import sys
import sysconfig
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from chalicelib.errors import SentimentError
from simulator.http.messages import ConnectionCutError, HttpRequest, HttpResponse
from simulator.http.server import HttpServer

PROVIDED = (  # by Lambda's Python runtime: the client and boto3, with their dependencies
    *("awslambdaric", "runtime_client*.so", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"),
)
FUNCTION_TIMEOUT_SECONDS = 28.0
KEPT_LINES = 200  # of a process's output, for error messages
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:verdict"


class FunctionError(SentimentError):
    """The function's process ended, reported an error, or timed out."""

    type = "function-failed"
    title = "The Lambda function failed"


def new_trace_id() -> str:
    """Return the X-Ray trace header of a request, as Lambda sets it: every request has another."""
    return f"Root=1-00000000-{uuid.uuid4().hex[:24]};Sampled=0"


class _RuntimeApi:
    """The Runtime API: sends one event at a time, and receives its outcome."""

    def __init__(self, trace_id: Callable[[], str]) -> None:
        self._trace_id = trace_id
        self.events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()  # (request id, body); None: stop
        self.outcomes: queue.Queue[tuple[str, bytes]] = queue.Queue()  # (last segment of the path, body)
        self.initialised = threading.Event()

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer GET `/invocation/next`, POST `/invocation/<id>/response`, `/invocation/<id>/error`, `/init/error`."""
        if request.method == "POST":
            self.outcomes.put((request.segments[-1], request.body))
            self.initialised.set()
            return HttpResponse(202)
        self.initialised.set()
        event = self.events.get()
        if event is None:
            raise ConnectionCutError("The function is being stopped.")
        request_id, body = event
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + FUNCTION_TIMEOUT_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": _ARN,
            "Lambda-Runtime-Trace-Id": self._trace_id(),
        }
        return HttpResponse(200, body, headers)


def provide_runtime(folder: Path) -> Path:
    """Create a folder of links to the packages that Lambda's runtime provides; returns it."""
    packages = Path(sysconfig.get_paths()["platlib"])
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in PROVIDED:
        for found in packages.glob(pattern):
            (folder / found.name).symlink_to(found)
    return folder


class LambdaFunction:
    """A new process of a function. Use it in a `with` statement.

    `package` is the unpacked deployment package, `runtime` the folder from `provide_runtime`. `environment` adds to the
    variables that Lambda sets. `on_line` is called, in another thread, with each line that the process prints.
    `trace_id` returns the trace header of the next request.
    """

    def __init__(
        self,
        package: Path,
        runtime: Path,
        handler: str,
        environment: Mapping[str, str],
        on_line: Callable[[str], None] = lambda line: None,
        trace_id: Callable[[], str] = new_trace_id,
    ) -> None:
        self._api = _RuntimeApi(trace_id)
        self._server = HttpServer(0, self._api, accepts_chunked=True)
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-B", "-m", "awslambdaric", handler],  # -S: none of this environment's packages
            cwd=package,
            env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.port}",
                "AWS_LAMBDA_FUNCTION_NAME": "verdict",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "LAMBDA_TASK_ROOT": str(package),
                "PYTHONPATH": os.pathsep.join([str(package), str(runtime)]),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._output: deque[str] = deque(maxlen=KEPT_LINES)
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()
        self._api.initialised.wait(timeout=FUNCTION_TIMEOUT_SECONDS)
        self.init_seconds = time.perf_counter() - started  # from the start of the process to its first request

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Return the function's result for an event; raises `FunctionError`."""
        if self._process.poll() is not None:
            raise FunctionError(f"The function's process has ended: {self.stop()}")
        self._api.events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        try:
            kind, body = self._api.outcomes.get(timeout=FUNCTION_TIMEOUT_SECONDS)
        except queue.Empty as error:
            raise FunctionError(f"The function timed out: {self.stop()}") from error
        if kind != "response":
            raise FunctionError(f"The function failed: {body.decode(errors='replace')[:2000]}")
        return json.loads(body)

    def stop(self) -> str:
        """Kill the process, and return the last lines of its output. An `invoke` in progress raises `FunctionError`."""
        self._api.events.put(None)
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._server.stop()
        return "".join(self._output)

    def _read(self, on_line: Callable[[str], None]) -> None:
        """Read all output, so that the process never blocks on it, until the process ends."""
        assert self._process.stdout
        with self._process.stdout as output:
            for line in output:
                text = line.decode(errors="replace")
                self._output.append(text)
                on_line(text.rstrip("\n"))
        self._api.outcomes.put(("ended", b"its process has ended"))
        self._api.initialised.set()
