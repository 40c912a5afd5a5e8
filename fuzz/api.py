"""Requests that schemathesis generates from the OpenAPI document of the running app, and others that it forbids."""

import itertools
import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from benchmarks.local_server import MAKE_RUN, POLL_SECONDS, START_TIMEOUT_SECONDS, connection, serving
from fuzz.rounds import Outcome, Result
from simulator.http.server import LOOPBACK
from training.project import ROOT

CONFIGURATION = ROOT / "tests" / "devserver" / "schemathesis.toml"
ROUND_EXAMPLES = 500  # of each operation
OPERATIONS = 10  # about
FIRST_PHASES, LATER_PHASES = "examples,coverage,fuzzing", "fuzzing"  # only fuzzing depends on the seed
FIRST_SEED = 1
_SUMMARY_CHARACTERS = 3_000


def check_api(examples: int, seconds: float) -> Result:
    """Send generated requests to the app, in rounds with a seed each, until one fails or a limit is reached.

    The last round's number of examples is approximate.
    """
    started = time.monotonic()
    checked = 0
    with serving((*MAKE_RUN, "--feedback")) as port:
        _wait_until_ready(port)
        for seed in itertools.count(FIRST_SEED):
            seconds_left = seconds - (time.monotonic() - started)
            if checked >= examples or seconds_left <= 0:
                break
            each = min(ROUND_EXAMPLES, -(-(examples - checked) // OPERATIONS))
            outcome = _run(f"http://{LOOPBACK}:{port}", seed, each, seconds_left)
            checked += outcome.checked
            if outcome.failure:
                return Result("api", checked, time.monotonic() - started, outcome.failure)
    return Result("api", checked, time.monotonic() - started)


def _wait_until_ready(port: int) -> None:
    """Wait until the app reaches its endpoint, which can start after it; raises `TimeoutError`."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), connection(port) as to_app:
            to_app.request("GET", "/ready")
            response = to_app.getresponse()
            response.read()
            if response.status == HTTPStatus.OK:
                return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"The app on port {port} did not reach its endpoint within {START_TIMEOUT_SECONDS:.0f} s.")


def _run(url: str, seed: int, examples: int, seconds: float) -> Outcome:
    """Run schemathesis with a number of examples for each operation."""
    program = Path(sys.executable).with_name("schemathesis")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = [f"--seed={seed}", f"--max-examples={examples}", f"--max-time={max(int(seconds), 1)}"]
        options += [f"--phases={FIRST_PHASES if seed == FIRST_SEED else LATER_PHASES}", "--url", url]
        options += ["--continue-on-failure", "--no-color", "--report-json-path", str(report)]
        ran = subprocess.run(
            [program, "--config-file", CONFIGURATION, "run", f"{url}/openapi.json", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        checked = json.loads(report.read_text(encoding="utf-8"))["test_cases"]["generated"] if report.exists() else 0
    failure = (ran.stdout + ran.stderr)[-_SUMMARY_CHARACTERS:] if ran.returncode or not checked else ""
    return Outcome(checked, failure)
