"""Parallel work: a function over a file of reviews, chunk by chunk, or over items, in several processes.

A worker process reads its chunk of the file itself. Workers are spawned, not forked, because a fork of a process with
threads can hang. A short file is processed in this process, where starting workers would take longer than it saves.
"""

import itertools
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from training.data.reviews import Review, chunks_of, read
from training.progress import ProgressCallback, silent

CHUNK_BYTES = 2_000_000
_MIN_CHUNKS = 3  # for which worker processes are started
_READ_AHEAD = 4  # items of a stream for each worker

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")


def map_reviews(
    function: Callable[[Shared, Iterator[Review]], Result],
    path: Path,
    shared: Shared,
    tick: ProgressCallback = silent,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[Result]:
    """Yield `function(shared, reviews)` for each chunk of a file of reviews, in the order of the file."""
    chunks = chunks_of(path, chunk_bytes)
    on_chunk = partial(_call_on_chunk, function, path)
    yield from map_items(on_chunk, chunks, shared, tick, alone=len(chunks) < _MIN_CHUNKS)


def _call_on_chunk(
    function: Callable[[Shared, Iterator[Review]], Result], path: Path, shared: Shared, chunk: tuple[int, int]
) -> Result:
    """Call a function with the reviews of a chunk, (start, end) in bytes."""
    return function(shared, read(path, *chunk))


def map_items(
    function: Callable[[Shared, Item], Result],
    items: Sequence[Item],
    shared: Shared,
    tick: ProgressCallback = silent,
    alone: bool = False,
) -> Iterator[Result]:
    """Yield `function(shared, item)` for each item, in their order; with `alone`, in this process.

    Otherwise there is a worker for each processor. `shared`, which may be large, reaches workers through a file, and is
    read once by each.
    """
    if alone:
        yield from (function(shared, item) for item in items)
        return
    with _shared_by_file(shared) as shared_file:
        yield from _run([partial(_call_in_worker, function, shared_file, item) for item in items], tick)


def map_stream(
    function: Callable[[Shared, Item], Result], items: Iterable[Item], shared: Shared, processes: int | None = None
) -> Iterator[Result]:
    """Yield `function(shared, item)` for each item of a stream of any length, in order, from worker processes.

    Few items are read ahead, so memory does not grow with the stream. A stream of few items, or one with `processes` of
    1, is processed in this process.
    """
    workers = processes or os.cpu_count() or 1
    remaining = iter(items)
    first = list(itertools.islice(remaining, _MIN_CHUNKS))
    if workers == 1 or len(first) < _MIN_CHUNKS:
        yield from (function(shared, item) for item in itertools.chain(first, remaining))
        return
    with _shared_by_file(shared) as shared_file, _pool(workers) as pool:
        futures: deque[Future[Result]] = deque()
        for item in itertools.chain(first, remaining):
            futures.append(pool.submit(_call_in_worker, function, shared_file, item))
            if len(futures) >= _READ_AHEAD * workers:
                yield futures.popleft().result()
        yield from (future.result() for future in futures)


def _run(calls: Sequence[Callable[[], Result]], tick: ProgressCallback) -> Iterator[Result]:
    """Yield the results of calls, in their order, from worker processes; few results wait in memory."""
    waiting = iter(calls)
    with _pool() as pool:
        futures = deque(map(pool.submit, itertools.islice(waiting, _READ_AHEAD * (os.cpu_count() or 1))))
        for done in range(len(calls)):
            tick(done, len(calls), "")
            result = futures.popleft().result()
            futures.extend(map(pool.submit, itertools.islice(waiting, 1)))
            yield result
        tick(len(calls), len(calls), "")


@contextmanager
def _pool(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Start worker processes, one for each processor by default; what is queued at the block's end is cancelled."""
    context = get_context("spawn")
    with ProcessPoolExecutor(workers or os.cpu_count(), context, initializer=_ignore_interrupts) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _shared_by_file(shared: object) -> Iterator[Path]:
    """Write a value to a temporary file, which `_load_shared` reads."""
    with TemporaryDirectory() as folder:
        shared_file = Path(folder) / "shared.pickle"
        with shared_file.open("wb") as file:
            pickle.dump(shared, file, protocol=pickle.HIGHEST_PROTOCOL)
        yield shared_file


def _ignore_interrupts() -> None:
    """Ignore Ctrl-C in a worker: the parent process handles it, and stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call_in_worker(function: Callable[[Any, Item], Result], shared_file: Path, item: Item) -> Result:
    """Call a function with the shared value and an item."""
    return function(_load_shared(shared_file), item)


@lru_cache(maxsize=1)
def _load_shared(path: Path) -> Any:
    """Read the shared value, once for all calls in a worker."""
    with path.open("rb") as file:
        return pickle.load(file)
