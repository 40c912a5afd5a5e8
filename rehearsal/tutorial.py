"""`python -m rehearsal.tutorial`: runs docs/tutorial/lifecycle.md on the simulator, in a copy of the project."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from devserver.run import available_port
from rehearsal.document import DocumentedCommand, commands_of, difference
from rehearsal.simulated_account import SimulatedAccount
from rehearsal.workspace import RehearsalError, Workspace
from simulator.http.server import LOOPBACK
from simulator.processes import child, exit_on_signals
from training.project import ROOT

DOCUMENT = Path("docs") / "tutorial" / "lifecycle.md"
PACE_SECONDS = 0.3
COMMAND_SECONDS = 600.0
WAITING = " is Creating"  # printed by a command when it begins to wait
_ASSIGNMENT = re.compile(r"[A-Z_]+=\$\(")


class Shell:
    """A shell in a workspace, with `verdict` and `chalice`, in which every question is answered with yes."""

    def __init__(self, work: Workspace, programs: Path) -> None:
        self._work = work
        self._prelude = ""  # assignments of earlier commands
        verdict = programs / "verdict"
        programs.mkdir()
        verdict.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli.main "$@"\n', encoding="utf-8")
        verdict.chmod(0o755)
        path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = {**work.environment, "PATH": path, "PYTHONPATH": str(work.folder)}

    def run(self, command: DocumentedCommand) -> str:
        """Run a command, and return what it printed; raises `RehearsalError` if it does not end."""
        script = f"{self._prelude}\n{command.text}"
        if _ASSIGNMENT.match(command.text):
            self._prelude = script
        with subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._work.folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                return (
                    self._interrupt(process)
                    if command.is_interrupted
                    else process.communicate("y\n", COMMAND_SECONDS)[0]
                )
            except subprocess.TimeoutExpired as error:
                raise RehearsalError(f"`{command.text}` did not end after {COMMAND_SECONDS:.0f} seconds.") from error
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    @staticmethod
    def _interrupt(process: "subprocess.Popen[str]") -> str:
        """Press Ctrl-C when the command waits, and return what it printed."""
        if not process.stdin or not process.stdout:
            raise ValueError("a process without pipes")
        process.stdin.write("y\n")
        process.stdin.flush()
        lines = list[str]()
        for line in process.stdout:
            lines.append(line)
            if WAITING in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        rest, _ = process.communicate(timeout=COMMAND_SECONDS)
        return "".join(lines) + rest


def run_document(folder: Path, document: str, show: Callable[[str], None]) -> list[str]:
    """Run the commands of a document in a folder; returns the differences, each with its command and its output."""
    port = available_port(0)
    account = SimulatedAccount(f"http://{LOOPBACK}:{port}")
    simulate = ["-m", "cli.main", "simulate", "--child", "--port", str(port), "--pace", str(PACE_SECONDS)]
    temporary, differences = folder / "temporary", list[str]()
    temporary.mkdir()
    with ExitStack() as stack:
        stack.enter_context(child(simulate, {**os.environ, "TMPDIR": str(temporary)}))
        account.wait_until(account.is_ready, "the simulated AWS")
        shell = Shell(Workspace(folder, account.environment, show), folder / "programs")
        for command in commands_of(document):
            show(f"$ {command.text}")
            printed = shell.run(command)
            show(printed.rstrip())
            missing = difference(command.output, printed)
            if missing:
                differences.append(f"$ {command.text}\n  not as documented: {missing}\n{printed.rstrip()}")
        return [*differences, *(f"Left at the end: {name}" for name in account.remaining())]


def main() -> int:
    """Run the document, print each command with its output, and return 1 if an output differs."""
    started = time.monotonic()
    with exit_on_signals(), tempfile.TemporaryDirectory() as folder:
        differences = run_document(Path(folder), (ROOT / DOCUMENT).read_text(encoding="utf-8"), click.echo)
    click.echo("\n\n".join(["", *differences]))
    click.echo(f"{len(differences)} outputs differ from {DOCUMENT}. {time.monotonic() - started:.0f} s.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
