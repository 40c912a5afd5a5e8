"""Work on AWS that is watched as a live table; Ctrl-C ends the watching and nothing else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table

from operations.aws.command import Aws
from operations.aws.waiting import FIRST_PAUSE_SECONDS, GROWTH, StoppedWaitingError

LONGEST_PAUSE_SECONDS = 5.0
RESUME = "the same command"
_GOES_ON = f"What was begun goes on at AWS, and is billed: {RESUME} goes on from there, and with --stop it stops it."


def watch(
    aws: Aws,
    step: Callable[[], bool],
    shown: Callable[[], Table],
    longest_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Take steps, less and less often, until one says that all is done; `shown` makes the table.

    Raises `StoppedWaitingError` on Ctrl-C, or after `longest_seconds`.
    """
    started, seconds = clock(), FIRST_PAUSE_SECONDS
    with resumable(), _drawn(aws, shown):
        while not step():
            if clock() - started > longest_seconds:
                raise StoppedWaitingError(f"It takes longer than it could; stopped waiting. {_GOES_ON}")
            aws.pause(seconds)
            seconds = min(seconds * GROWTH, LONGEST_PAUSE_SECONDS)


@contextmanager
def resumable() -> Iterator[None]:
    """Let Ctrl-C in the block say what becomes of what was begun; raises `StoppedWaitingError`."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise StoppedWaitingError(f"Stopped waiting. {_GOES_ON}") from error


@contextmanager
def _drawn(aws: Aws, shown: Callable[[], Table]) -> Iterator[None]:
    """Draw the table while the block runs; where nothing can be drawn anew, once, at its end."""
    if not aws.console.is_terminal:
        yield
        aws.console.print(shown())
        return
    with Live(get_renderable=shown, console=aws.console, refresh_per_second=4):
        yield
