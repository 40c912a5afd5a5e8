"""A child process that never outlives its parent: its standard input is a pipe that ends when the parent does."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from training.project import ROOT as PROJECT

LONGEST_STOP_SECONDS = 5.0


@contextmanager
def child(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with these arguments in the project's folder, and stop it at the end.

    The child is in a session of its own, so Ctrl-C reaches it through its parent alone.
    """
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=dict(environment),
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(LONGEST_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def end_with_parent() -> None:
    """Called in the child: from now on, end this process (SIGTERM) when its standard input ends."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    """Read standard input to its end, then end this process."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
