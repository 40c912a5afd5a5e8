"""Polling until a resource reaches a state. Ctrl-C stops waiting, and the work on AWS continues."""

import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

from chalicelib.errors import SentimentError

Seen = TypeVar("Seen")
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
GROWTH = 1.4


class StoppedWaitingError(SentimentError):
    """Ctrl-C or a timeout. The work on AWS continues, and the detail names the command that resumes it."""

    type = "stopped-waiting"
    title = "Stopped waiting"


def wait_for(
    fetch: Callable[[], Seen],
    is_done: Callable[[Seen], bool],
    describe: Callable[[Seen], str],
    console: Console,
    resume: str,
    longest_seconds: float = 3600.0,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Seen:
    """Call `fetch` until its value is done, and return that value; `describe` returns a value's short description.

    `resume` is the command that continues. Raises `StoppedWaitingError` on Ctrl-C, or after `longest_seconds`.
    """
    started, seconds, printed = clock(), FIRST_PAUSE_SECONDS, ""
    try:
        with console.status("...") as status:
            while not is_done(seen := fetch()):
                waited, description = clock() - started, describe(seen)
                if waited > longest_seconds:
                    raise StoppedWaitingError(
                        f"Still {description} after {waited / 60:.0f} minutes. It continues on AWS, and may be billed: "
                        f"`verdict status` shows it. Resume with `{resume}`."
                    )
                status.update(f"{description}, {waited:.0f} s")
                if description != printed and not console.is_terminal:  # without a terminal, the status isn't visible
                    printed = description
                    console.print(f"{printed} ...", soft_wrap=True, highlight=False, markup=False)
                pause(seconds)
                seconds = min(seconds * GROWTH, LONGEST_PAUSE_SECONDS)
    except KeyboardInterrupt as error:
        raise StoppedWaitingError(
            f"Stopped waiting. The work continues on AWS, and may be billed: `verdict status` shows it. "
            f"Resume with `{resume}`."
        ) from error
    return seen
