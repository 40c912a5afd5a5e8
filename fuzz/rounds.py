"""Rounds of generated examples: many, within a limit of time, and without the memory of a single long search."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

ROUND_EXAMPLES = 100
Check = Callable[[Any], None]  # raises an exception for an example that breaks a promise


@dataclass(frozen=True)
class Result:
    """How many examples of a part were checked, in how much time, and the first failure, "" for none."""

    part: str
    examples: int
    seconds: float
    failure: str = ""


def check_examples(part: str, check: Check, strategy: SearchStrategy[Any], examples: int, seconds: float) -> Result:
    """Check generated examples until one fails, or a limit is reached; a round that has begun is completed."""
    started = time.monotonic()
    checked = number = 0

    def count_and_check(example: Any) -> None:
        nonlocal checked
        checked += 1
        check(example)

    while checked < examples and time.monotonic() - started < seconds:
        failure = _failure_of(count_and_check, strategy, number, min(examples - checked, ROUND_EXAMPLES))
        if failure:
            return Result(part, checked, time.monotonic() - started, failure)
        number += 1
    return Result(part, checked, time.monotonic() - started)


def _failure_of(check: Check, strategy: SearchStrategy[Any], number: int, examples: int) -> str:
    """Run a round; returns the simplest failing example with its exception, "" for none."""
    configure = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run = seed(number)(configure(given(strategy)(check)))
    try:
        run()
    except Exception as error:  # noqa: BLE001  # any exception is a finding
        return "".join(traceback.format_exception(error, limit=-3))
    return ""
