"""Rounds of generated examples in several processes: many, within a limit of time, without one long search's memory."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from training.parallel import map_stream

ROUND_EXAMPLES = 500
Check = Callable[[Any], None]  # raises an exception for an example that breaks a promise


@dataclass(frozen=True)
class Part:
    """A kind of examples and their check; every process creates the strategy and the context of its checks itself."""

    name: str
    check: Check
    strategy: Callable[[], SearchStrategy[Any]]
    context: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class Result:
    """How many examples of a part were checked, in how much time, and the first failure, "" for none."""

    part: str
    examples: int
    seconds: float
    failure: str = ""


class Round(NamedTuple):
    """The seed of a round, and its number of examples."""

    seed: int
    examples: int


class Outcome(NamedTuple):
    """The number of examples that a round checked, and the simplest failing one with its exception, "" for none."""

    checked: int
    failure: str


def check_examples(part: Part, examples: int, seconds: float, processes: int | None = None) -> Result:
    """Check generated examples until one fails, or a limit is reached; a round that has begun is completed.

    There is a process for each processor by default. Fewer than three rounds are run in this process.
    """
    started = time.monotonic()
    checked, failure = 0, ""
    for outcome in map_stream(_run_round, _rounds(examples, started + seconds), part, processes):
        checked += outcome.checked
        failure = outcome.failure
        if failure:
            break
    return Result(part.name, checked, time.monotonic() - started, failure)


def _rounds(examples: int, deadline: float) -> Iterator[Round]:
    """Yield the rounds that check this number of examples, until the time of `time.monotonic` is reached."""
    for number, first in enumerate(range(0, examples, ROUND_EXAMPLES)):
        if time.monotonic() >= deadline:
            return
        yield Round(number, min(examples - first, ROUND_EXAMPLES))


def _run_round(part: Part, each: Round) -> Outcome:
    """Check the examples of a round."""
    checked = 0

    def count_and_check(example: Any) -> None:
        nonlocal checked
        checked += 1
        part.check(example)

    configure = settings(
        max_examples=each.examples,
        database=None,
        deadline=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run = seed(each.seed)(configure(given(part.strategy())(count_and_check)))
    try:
        with part.context():
            run()
    except Exception as error:  # noqa: BLE001  # any exception is a finding
        return Outcome(checked, "".join(traceback.format_exception(error, limit=-3)))
    return Outcome(checked, "")
