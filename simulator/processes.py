"""Processes: children that never outlive their parent, and stop signals."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from training.project import ROOT as PROJECT

STOP_TIMEOUT_SECONDS = 5.0


@contextmanager
def child(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with these arguments in the project's folder, and stop it at the end.

    The child has its own session: Ctrl-C reaches it only through its parent. Its standard input is a pipe that ends
    with its parent.
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
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def end_with_parent() -> None:
    """End this process (SIGTERM) when its standard input ends. Call this in the child."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()


def _end_with_stdin() -> None:
    """Read standard input to its end, then end this process."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Raise `SystemExit` in the block on SIGTERM and SIGHUP, so that its children are stopped and its files deleted.

    Its children react to Ctrl-C even in a background job of a shell, which ignores it, as they would.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda number, _frame: sys.exit(128 + number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT (Ctrl-C), SIGTERM and SIGHUP set, instead of their usual effect."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
