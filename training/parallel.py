"""Runs a function over a file of reviews, stretch by stretch, or over any items, in several processes.

Workers are handed bytes to read, not reviews, and start afresh rather than as copies of a process that has threads.
A file below a few stretches is read here, where a second process would cost more than it brings.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from training.data.reviews import Review, read, stretches
from training.progress import ProgressCallback, silent

STRETCH_BYTES = 2_000_000
_ALONE_BELOW = 3  # stretches

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")
_shared: Any = None  # in a worker: what every call is given


def map_reviews(
    function: Callable[[Shared, Iterator[Review]], Result],
    path: Path,
    shared: Shared,
    tick: ProgressCallback = silent,
    stretch_bytes: int = STRETCH_BYTES,
) -> Iterator[Result]:
    """Yield `function(shared, reviews)` for each stretch of a file of reviews, in the order of the file."""
    parts = stretches(path, stretch_bytes)
    if len(parts) < _ALONE_BELOW:
        yield from (function(shared, read(path, *part)) for part in parts)
        return
    yield from _spread(_call, [(function, path, part) for part in parts], shared, tick)


def map_items(
    function: Callable[[Shared, Item], Result],
    items: Sequence[Item],
    shared: Shared,
    tick: ProgressCallback = silent,
    alone: bool = False,
) -> Iterator[Result]:
    """Yield `function(shared, item)` for each item, in their order; `alone` for work too small for more processes."""
    if alone:
        yield from (function(shared, item) for item in items)
        return
    yield from _spread(_call_item, [(function, item) for item in items], shared, tick)


def _spread(
    call: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], shared: object, tick: ProgressCallback
) -> Iterator[Result]:
    """Yield the results of calls, in their order, from as many processes as there are processors."""
    with ProcessPoolExecutor(
        os.cpu_count(), mp_context=get_context("spawn"), initializer=_start, initargs=(shared,)
    ) as pool:
        try:
            calls = deque(pool.submit(call, *each) for each in arguments)
            while calls:
                tick(len(arguments) - len(calls), len(arguments), "")
                yield calls.popleft().result()
            tick(len(arguments), len(arguments), "")
        finally:
            pool.shutdown(cancel_futures=True)


def _start(shared: object) -> None:
    """Make a worker ready; Ctrl-C is for the parent, which then stops its workers."""
    global _shared  # a worker process has no other place to keep it between calls
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _shared = shared


def _call(function: Callable[[Any, Iterator[Review]], Result], path: Path, part: tuple[int, int]) -> Result:
    """Run one stretch in a worker."""
    return function(_shared, read(path, *part))


def _call_item(function: Callable[[Any, Any], Result], item: object) -> Result:
    """Run one item in a worker."""
    return function(_shared, item)
