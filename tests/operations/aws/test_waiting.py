import io
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from operations.aws.waiting import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, StoppedWaitingError, wait_for

RESUME = "verdict deploy"


class Time:
    """A clock that only pauses advance."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def waited(states: Iterator[str], time: Time, pause: Callable[[float], None] | None = None, longest: float = 60) -> str:
    return wait_for(
        lambda: next(states),
        lambda state: state == "InService",
        lambda state: f"is {state}",
        Console(file=io.StringIO()),
        RESUME,
        longest,
        pause or time.pause,
        time.clock,
    )


def test_a_finished_state_is_returned_at_once() -> None:
    time = Time()
    assert waited(iter(["InService"]), time) == "InService"
    assert time.pauses == []


def test_pauses_grow_up_to_a_limit() -> None:
    time = Time()
    assert waited(iter(["Creating"] * 20 + ["InService"]), time, longest=600) == "InService"
    assert time.pauses[0] == FIRST_PAUSE_SECONDS
    assert time.pauses == sorted(time.pauses)
    assert time.pauses[-1] == LONGEST_PAUSE_SECONDS


def stop(_: float) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_stops_waiting_and_names_the_resume_command() -> None:
    with pytest.raises(StoppedWaitingError) as stopped:
        waited(iter(["Creating"] * 2), Time(), pause=stop)
    assert isinstance(stopped.value.__cause__, KeyboardInterrupt)
    assert RESUME in stopped.value.detail
    assert "verdict status" in stopped.value.detail


def test_without_a_terminal_every_new_state_is_printed() -> None:
    console = Console(file=io.StringIO(), width=100)
    states = iter(["Creating", "Creating", "Updating", "InService"])
    wait_for(lambda: next(states), lambda seen: seen == "InService", str, console, RESUME, pause=lambda seconds: None)
    assert console.file.getvalue().split("\n")[:2] == ["Creating ...", "Updating ..."]  # type: ignore[attr-defined]


def test_a_timeout_reports_the_last_state_and_the_resume_command() -> None:
    with pytest.raises(StoppedWaitingError, match=r"Still is Creating after 1 minutes\. .*may be billed") as stopped:
        waited(iter(["Creating"] * 100), Time())
    assert stopped.value.__cause__ is None
    assert RESUME in stopped.value.detail


def test_an_error_while_polling_is_raised() -> None:
    def look() -> str:
        raise ValueError("deleted")

    with pytest.raises(ValueError, match="deleted"):
        wait_for(look, bool, str, Console(file=io.StringIO()), RESUME)
