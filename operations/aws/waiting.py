"""Waiting for AWS: look, say what is seen, look again a little later; Ctrl-C stops the waiting and nothing else."""

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
    """Ctrl-C, or too long a wait: the work on AWS goes on, and the detail says how to come back to it."""

    type = "stopped-waiting"
    title = "Stopped waiting"


def wait_for(
    look: Callable[[], Seen],
    done: Callable[[Seen], bool],
    say: Callable[[Seen], str],
    console: Console,
    resume: str,
    longest_seconds: float = 3600.0,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Seen:
    """Look until it is done and return what was seen last; `say` puts what is seen into a few words.

    `resume` is the command that goes on from here. Raises `StoppedWaitingError` on Ctrl-C, or after `longest_seconds`.
    """
    started, seconds, told = clock(), FIRST_PAUSE_SECONDS, ""
    try:
        with console.status("...") as shown:
            while not done(seen := look()):
                waited = clock() - started
                if waited > longest_seconds:
                    raise StoppedWaitingError(
                        f"Still {say(seen)} after {waited / 60:.0f} minutes. It goes on at AWS, and may be billed: "
                        f"`verdict status` shows it. Look again with `{resume}`."
                    )
                shown.update(f"{say(seen)}, {waited:.0f} s")
                if say(seen) != told and not console.is_terminal:  # nobody sees the line that changes in place
                    told = say(seen)
                    console.print(f"{told} ...", soft_wrap=True, highlight=False, markup=False)
                pause(seconds)
                seconds = min(seconds * GROWTH, LONGEST_PAUSE_SECONDS)
    except KeyboardInterrupt as error:
        raise StoppedWaitingError(
            f"Stopped waiting; what was begun goes on at AWS, and may be billed: `verdict status` shows it. "
            f"Go on with `{resume}`."
        ) from error
    return seen
