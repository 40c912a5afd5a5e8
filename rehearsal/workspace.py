"""A copy of the project to rehearse in, and the real commands run there, each shown with what it says."""

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
)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "deployed", "deployments", "*.pyc")
LONGEST_COMMAND_SECONDS = 600.0


class RehearsalError(SentimentError):
    """Something in the story went otherwise than it must."""

    type = "rehearsal-failed"
    title = "The rehearsal failed"


@dataclass(frozen=True)
class Said:
    """What a command said (both streams), how it ended, and how long it took."""

    text: str
    status: int
    seconds: float


class Workspace:
    """A folder with a copy of the project; commands see no AWS but the one that `environment` names."""

    def __init__(self, folder: Path, environment: Mapping[str, str], show: Callable[[str], None]) -> None:
        self.folder = folder
        self._show = show
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VERDICT_"))}
        self._environment = {**kept, **environment, "COLUMNS": "110", "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1"}
        for name in COPIED:
            source, target = PROJECT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=_LEFT_OUT, symlinks=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def training(self, line: str, status: int = 0, says: Sequence[str] = ()) -> Said:
        """Run `verdict <line>`; raises `RehearsalError` unless it ends so and says all of these."""
        return self._run(f"verdict {line}", [sys.executable, "-m", "cli.main", *_words(line)], status, says)

    def chalice(self, line: str, says: Sequence[str] = ()) -> Said:
        """Run `chalice <line>`, the real command."""
        program = str(Path(sys.executable).with_name("chalice"))
        return self._run(f"chalice {line}", [program, *_words(line)], 0, says)

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Start `verdict <line>` and return at once: whoever interrupts it reads what it says."""
        self._show(f"\n$ verdict {line}")
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *_words(line)],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _run(self, shown: str, command: Sequence[str], status: int, says: Sequence[str]) -> Said:
        """Run a command, show it with what it says, and hold it to its promises."""
        self._show(f"\n$ {shown}")
        started = time.monotonic()
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_COMMAND_SECONDS,
        )
        said = Said(ended.stdout, ended.returncode, time.monotonic() - started)
        self._show(said.text.rstrip())
        self.hold(said, shown, status, says)
        return said

    @staticmethod
    def hold(said: Said, shown: str, status: int, says: Sequence[str]) -> None:
        """Raise `RehearsalError` unless a command ended as it must and said what it must."""
        if said.status != status:
            raise RehearsalError(f"`{shown}` ended with status {said.status}, not {status}: {said.text[-2000:]}")
        flat = " ".join(said.text.split())
        for sentence in says:
            if sentence not in flat:
                raise RehearsalError(f"`{shown}` did not say {sentence!r}, but: {said.text[-2000:]}")


def _words(line: str) -> list[str]:
    """Split a command line as a shell would."""
    return shlex.split(line)
