"""The run of the tutorial, ended from outside."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from operations.aws.waiting import wait_for
from training.project import ROOT

SECONDS = 30.0


def children_of(process: int) -> list[int]:
    """Return the ids of a process's children."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["terminated", "killed"])
def test_nothing_runs_on_if_the_tutorial_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "rehearsal.tutorial"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline().startswith(b"$ ")  # the simulator runs, and the first command begins
        children = children_of(process.pid)
        assert children
        process.send_signal(number)
        process.wait(SECONDS)
    console = Console(file=io.StringIO())
    wait_for(lambda: [*filter(is_running, children)], lambda running: not running, str, console, "", SECONDS)
    assert (list(tmp_path.iterdir()) == []) == (number == signal.SIGTERM)
