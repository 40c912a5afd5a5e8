"""A copy of the project in which the rehearsal runs commands and checks their output and exit status."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import SentimentError
from training.project import ROOT as PROJECT

COPIED = (
    "app.py",
    "requirements.txt",
    ".chalice",
    "chalicelib",
    "static",
    "vendor",
    "training",
    "operations",
    "simulator",
    "devserver",
    "rehearsal",
    "cli",
    "model",
    "tests/model/sentences.jsonl",  # of the gate, and left out of the templates
    "tests/model/obvious.jsonl",
)
_IGNORED = shutil.ignore_patterns("__pycache__", "deployed", "deployments", "*.pyc")
COMMAND_TIMEOUT_SECONDS = 600.0
_VERDICT = (sys.executable, "-m", "cli.main")


class RehearsalError(SentimentError):
    """A step of the rehearsal had an unexpected result."""

    type = "rehearsal-failed"
    title = "The rehearsal failed"


@dataclass(frozen=True)
class CommandResult:
    """A command's output (both streams), exit status and duration."""

    text: str
    status: int
    seconds: float


class Workspace:
    """A folder with a copy of the project. Of AWS, its commands see only what `environment` names."""

    def __init__(self, folder: Path, environment: Mapping[str, str], show: Callable[[str], None]) -> None:
        self.folder = folder
        self._show = show
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VERDICT_"))}
        self.environment = {**kept, **environment, "COLUMNS": "110", "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1"}
        for name in COPIED:
            source, target = PROJECT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=_IGNORED, symlinks=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def verdict(self, line: str, status: int = 0, expected: Sequence[str] = ()) -> CommandResult:
        """Run `verdict <line>`; raises `RehearsalError` on another status or if an expected sentence is missing."""
        return self._run(f"verdict {line}", [*_VERDICT, *shlex.split(line)], status, expected)

    def chalice(self, line: str, expected: Sequence[str] = ()) -> CommandResult:
        """Run the real `chalice <line>`; checked as in `verdict`."""
        program = str(Path(sys.executable).with_name("chalice"))
        return self._run(f"chalice {line}", [program, *shlex.split(line)], 0, expected)

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Start `verdict <line>` without waiting for it; the caller reads its output."""
        return self._start(f"verdict {line}", [*_VERDICT, *shlex.split(line)])

    def _start(self, shown: str, command: Sequence[str]) -> "subprocess.Popen[str]":
        """Show and start a command, with both output streams in one."""
        self._show(f"\n$ {shown}")
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _run(self, shown: str, command: Sequence[str], status: int, expected: Sequence[str]) -> CommandResult:
        """Run a command, show its output, and check its result; it is killed if it takes too long."""
        started = time.monotonic()
        with self._start(shown, command) as process:
            try:
                text, _ = process.communicate(timeout=COMMAND_TIMEOUT_SECONDS)
            finally:
                process.kill()
        result = CommandResult(text, process.returncode, time.monotonic() - started)
        self._show(result.text.rstrip())
        self.check(result, shown, status, expected)
        return result

    @staticmethod
    def check(result: CommandResult, shown: str, status: int, expected: Sequence[str]) -> None:
        """Raise `RehearsalError` unless a command had this exit status and printed these sentences."""
        if result.status != status:
            raise RehearsalError(f"`{shown}` exited with status {result.status}, not {status}: {result.text[-2000:]}")
        unwrapped = " ".join(result.text.split())
        for sentence in expected:
            if sentence not in unwrapped:
                raise RehearsalError(f"`{shown}` did not print {sentence!r}, but: {result.text[-2000:]}")
