"""AWS Lambda's runtime on this machine: an unpacked deployment package, run by the real runtime client.

The client (`awslambdaric`) is the program that runs Python functions on Lambda; it asks the Runtime API for events,
and this module is that API on a loopback port. The function's process sees its package's folder, boto3 and the client,
as on Lambda, and nothing else of this environment. What it does not do: limit memory, freeze, or draw from layers.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from chalicelib.errors import SentimentError

PROVIDED = (  # what Lambda's Python runtime brings: the client and boto3, with what they need
    *("awslambdaric", "runtime_client*.so", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"),
)
FUNCTION_SECONDS = 28.0
KEPT_LINES = 200  # of what a process printed, for whoever asks why it failed


class FunctionError(SentimentError):
    """The function's process ended, reported an error of its own, or gave no answer in time."""

    type = "function-failed"
    title = "The Lambda function failed"


class _RuntimeApi(ThreadingHTTPServer):
    """The Runtime API: hands out one event at a time and takes what becomes of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeApiHandler)
        self.events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self.outcomes: queue.Queue[tuple[str, bytes]] = queue.Queue()  # (last part of the path, body)
        self.initialised = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over the cut connection of a function that was ended; show anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _RuntimeApiHandler(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment an answer, so that no answer waits for an acknowledgement
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer `/invocation/next`, when there is a next event."""
        self.server.initialised.set()
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        request_id, body = event
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + FUNCTION_SECONDS) * 1000)))
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:verdict"
        )
        self.send_header("Lambda-Runtime-Trace-Id", f"Root=1-00000000-{uuid.uuid4().hex[:24]};Sampled=0")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Take `/invocation/<id>/response`, `/invocation/<id>/error` or `/init/error`."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.outcomes.put((self.path.rpartition("/")[2], body))
        self.server.initialised.set()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def provide_runtime(folder: Path) -> Path:
    """Make a folder of links to what Lambda's runtime brings, out of this environment's packages; returns it."""
    packages = Path(sysconfig.get_paths()["platlib"])
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in PROVIDED:
        for found in packages.glob(pattern):
            (folder / found.name).symlink_to(found)
    return folder


class LambdaFunction:
    """A function's process, cold when made. Use it in a `with` statement.

    `package` is the unpacked deployment package, `runtime` what `provide_runtime` made. `environment` is all that the
    process gets beside what Lambda itself sets. `told` is called, in a thread of its own, with each line it prints.
    """

    def __init__(
        self,
        package: Path,
        runtime: Path,
        handler: str,
        environment: Mapping[str, str],
        told: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._api = _RuntimeApi()
        self._thread = threading.Thread(target=self._api.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-B", "-m", "awslambdaric", handler],  # -S: none of this environment's packages
            cwd=package,
            env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_address[1]}",
                "AWS_LAMBDA_FUNCTION_NAME": "verdict",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "LAMBDA_TASK_ROOT": str(package),
                "PYTHONPATH": os.pathsep.join([str(package), str(runtime)]),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._printed: deque[str] = deque(maxlen=KEPT_LINES)
        self._reader = threading.Thread(target=self._read, args=(told,), daemon=True)
        self._reader.start()
        self._api.initialised.wait(timeout=FUNCTION_SECONDS)
        self.init_seconds = time.perf_counter() - started  # from the process's start until it asked for an event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Return what the function returns for an event; raises `FunctionError`."""
        if self._process.poll() is not None:
            raise FunctionError(f"The function's process has ended: {self.stop()}")
        self._api.events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        try:
            kind, body = self._api.outcomes.get(timeout=FUNCTION_SECONDS)
        except queue.Empty as error:
            raise FunctionError(f"The function gave no answer: {self.stop()}") from error
        if kind != "response":
            raise FunctionError(f"The function failed: {body.decode(errors='replace')[:2000]}")
        return json.loads(body)

    def stop(self) -> str:
        """End the process, and return the last of what it printed. An `invoke` under way gets a `FunctionError`."""
        self._api.events.put(None)
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._api.shutdown()
        self._api.server_close()
        return "".join(self._printed)

    def _read(self, told: Callable[[str], None]) -> None:
        """Read all that the process prints, so that it never waits for a reader; the end of it is the process's."""
        assert self._process.stdout
        with self._process.stdout as printed:
            for line in printed:
                text = line.decode(errors="replace")
                self._printed.append(text)
                told(text.rstrip("\n"))
        self._api.outcomes.put(("ended", b"its process has ended"))
        self._api.initialised.set()
