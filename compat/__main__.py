"""`make compat`: starts `verdict simulate`, and runs the tutorial's steps on it with the SDK and with the AWS CLI.

It runs in the development environment; the clients run in their own, whose interpreter is the only argument.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator.processes import exit_on_signals

SCRIPTS = ("compat.tutorial_with_cli", "compat.tutorial_with_sdk")
PACE = "0.2"  # seconds for what takes minutes on AWS
_SIMULATE = [sys.executable, "-u", "-m", "cli.main", "simulate", "--port", "0", "--pace", PACE]
_LAST_LINE = "To inject a fault"
_EXPORT = re.compile(r"\s+export (\w+)=(\S+)")
_DROPPED = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME")
_NO_TELEMETRY = "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"


@contextmanager
def simulated_aws() -> Iterator[dict[str, str]]:
    """Run `verdict simulate` on a free port; yields the variables that it prints."""
    with subprocess.Popen(_SIMULATE, stdout=subprocess.PIPE, text=True) as process:
        variables: dict[str, str] = {}
        for line in process.stdout or ():
            if export := _EXPORT.match(line):
                variables[export[1]] = export[2]
            if _LAST_LINE in line:
                break
        try:
            yield variables
        finally:
            process.terminate()


def run(python: str, script: str, variables: dict[str, str]) -> int:
    """Run a script in the clients' environment; returns its exit status."""
    inherited = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    path = f"{Path(python).absolute().parent}{os.pathsep}{inherited.get('PATH', '')}"
    with TemporaryDirectory() as folder:
        settings = Path(folder) / "config.yaml"
        settings.write_text(_NO_TELEMETRY, encoding="utf-8")
        own = {
            "PATH": path,
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
            "TMPDIR": folder,
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        }
        return subprocess.run([python, "-m", script], env=inherited | variables | own).returncode


def main() -> int:
    """Run each script on a simulator of its own until one fails; returns its exit status."""
    for script in SCRIPTS:
        started = time.monotonic()
        with exit_on_signals(), simulated_aws() as variables:
            status = run(sys.argv[1], script, variables)
        if status:
            print(f"{script} failed with status {status}.", file=sys.stderr)
            return status
        print(f"{script}: all steps passed in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
