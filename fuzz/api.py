"""Requests that schemathesis generates from the OpenAPI document of the running app, and others that it forbids."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.local_server import MAKE_RUN, serving
from fuzz.rounds import Result
from simulator.http.server import LOOPBACK
from training.project import ROOT

CONFIGURATION = ROOT / "tests" / "devserver" / "schemathesis.toml"
OPERATIONS = 10  # about; `examples` is divided among them
_CASES = re.compile(r"(\d+) generated")
_SUMMARY_CHARACTERS = 3_000


def check_api(examples: int, seconds: float) -> Result:
    """Send generated requests to the app until a limit is reached; `examples` is approximate."""
    started = time.monotonic()
    with serving((*MAKE_RUN, "--feedback")) as port:
        url = f"http://{LOOPBACK}:{port}"
        output, code = _run(url, max(examples // OPERATIONS, 1), int(max(seconds, 1)))
    generated = sum(map(int, _CASES.findall(output)))
    failure = output[-_SUMMARY_CHARACTERS:] if code else ""
    return Result("api", generated, time.monotonic() - started, failure)


def _run(url: str, examples: int, seconds: int) -> tuple[str, int]:
    """Run schemathesis; returns its output and its exit code."""
    program = Path(sys.executable).with_name("schemathesis")
    options = [f"--max-examples={examples}", f"--max-time={seconds}", "--continue-on-failure", "--no-color"]
    options += ["--phases=examples,coverage,fuzzing", "--url", url]
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [program, "--config-file", CONFIGURATION, "run", f"{url}/openapi.json", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    return ran.stdout + ran.stderr, ran.returncode
