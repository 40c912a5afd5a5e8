"""The packaged zip's cold start in the real Lambda runtime client, beside a bare handler's.

The time is that from the start of a function's process to its response to the first review. boto3 is not in the
package, as on Lambda. The bare handler only imports boto3, creates one client, and calls the endpoint. Loading the
release is also timed alone, each time in a new process.
"""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Comparison, measure_in_turns
from benchmarks.handler import environment_of, event
from simulator.apps.lambda_package import package_project, unpack
from simulator.apps.lambda_runtime import LambdaFunction, provide_runtime
from simulator.endpoint.local_endpoint import LocalEndpoint

LARGEST_RATIO = 1.25
LARGEST_ZIP_BYTES = 3_000_000
LONGEST_LOAD_MILLISECONDS = 30
REVIEW = "One of the best films I have ever seen"
BARE_HANDLER = """
import os
import boto3

client = boto3.client("sagemaker-runtime")


def app(event, context):
    answer = client.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], Body=b"0:1", ContentType="text/libsvm", Accept="text/csv"
    )
    return {"statusCode": 200, "body": answer["Body"].read().decode()}
"""
LOADING = """
import time
from chalicelib import release

started = time.perf_counter()
release.load()
print((time.perf_counter() - started) * 1000)
"""


@dataclass(frozen=True)
class ColdStart:
    """The time from the process's start to its first response, and the processor time of the whole process."""

    milliseconds: float
    processor_milliseconds: float


@dataclass(frozen=True)
class ColdStarts:
    """The comparisons, the size of the zip, and the time to load its release in each of several processes."""

    comparisons: list[Comparison]
    zip_bytes: int
    load_milliseconds: tuple[float, ...]


def measure(endpoint: LocalEndpoint, folder: Path, rounds: int) -> ColdStarts:
    """Package the project in a folder, then start its function and the bare handler in turns."""
    zipped = package_project(folder).archive
    package = unpack(zipped, folder / "task")
    bare = folder / "bare"
    bare.mkdir()
    (bare / "app.py").write_text(BARE_HANDLER, encoding="utf-8")
    runtime = provide_runtime(folder / "runtime")
    contestants = {
        "ours": lambda: start_cold(package, runtime, endpoint),
        "theirs": lambda: start_cold(bare, runtime, endpoint),
    }
    measure_in_turns(contestants, 1)  # fills the system's file cache
    starts = measure_in_turns(contestants, rounds)
    wall = {name: tuple(start.milliseconds for start in each) for name, each in starts.items()}
    spent = {name: tuple(start.processor_milliseconds for start in each) for name, each in starts.items()}
    comparisons = [
        Comparison("cold start to first response", "ms", wall["ours"], wall["theirs"], LARGEST_RATIO),
        Comparison("processor time of the start", "ms", spent["ours"], spent["theirs"]),
    ]
    return ColdStarts(comparisons, zipped.stat().st_size, tuple(load_release(package) for _ in range(rounds)))


def start_cold(task: Path, runtime: Path, endpoint: LocalEndpoint) -> ColdStart:
    """Start a function, send it one review, and stop it."""
    before = _child_processor_seconds()
    with LambdaFunction(task, runtime, "app.app", environment_of(endpoint)) as function:
        started = time.perf_counter()
        response = function.invoke(event(REVIEW))
        spent = function.init_seconds + time.perf_counter() - started
    if response["statusCode"] != 200:
        raise RuntimeError(f"A cold function returned {response['statusCode']}: {response['body']}")
    return ColdStart(spent * 1000, (_child_processor_seconds() - before) * 1000)


def load_release(package: Path) -> float:
    """Load a package's release in a new process; returns the milliseconds that it took, without the imports."""
    command = [sys.executable, "-S", "-E", "-c", LOADING]  # without this environment's packages and PYTHONPATH
    ran = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"The packaged release cannot be loaded: {ran.stderr}")
    return float(ran.stdout)


def _child_processor_seconds() -> float:
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
