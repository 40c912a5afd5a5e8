"""A live table of work in progress on AWS. Ctrl-C stops watching, and the work continues."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table

from operations.aws.command import Aws
from operations.aws.waiting import FIRST_PAUSE_SECONDS, GROWTH, StoppedWaitingError

LONGEST_PAUSE_SECONDS = 5.0
RESUME = "the same command"
_CONTINUES = f"The work continues on AWS, and is billed. Repeat {RESUME} to resume, or add --stop to stop it."


def watch(
    aws: Aws,
    step: Callable[[], bool],
    render: Callable[[], Table],
    longest_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Call `step` with growing pauses until it returns that everything is done; `render` returns the table.

    Raises `StoppedWaitingError` on Ctrl-C, or after `longest_seconds`.
    """
    started, seconds = clock(), FIRST_PAUSE_SECONDS
    with resumable(), _live_table(aws, render):
        while not step():
            if clock() - started > longest_seconds:
                raise StoppedWaitingError(f"Stopped waiting, because it takes longer than expected. {_CONTINUES}")
            aws.pause(seconds)
            seconds = min(seconds * GROWTH, LONGEST_PAUSE_SECONDS)


@contextmanager
def resumable() -> Iterator[None]:
    """Raise `StoppedWaitingError` on Ctrl-C in the block, with how to resume."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise StoppedWaitingError(f"Stopped waiting. {_CONTINUES}") from error


@contextmanager
def _live_table(aws: Aws, render: Callable[[], Table]) -> Iterator[None]:
    """Update the table while the block runs; without a terminal, print it once at the end."""
    if not aws.console.is_terminal:
        yield
        aws.console.print(render())
        return
    with Live(get_renderable=render, console=aws.console, refresh_per_second=4):
        yield
