"""Several minimisations in lockstep: each evaluation of the losses is one call for all that need one.

A pass over a distributed matrix costs much more than a step of L-BFGS, and eleven regressions need the same rows. So
each minimisation runs in a thread that waits until every other one needs a value too, or has ended, and one pass
evaluates all of them.
"""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.features.ngram_weights import NO_EARLY_STOP, Floats

Evaluated = tuple[float, Floats]  # a loss and its gradient
Evaluate = Callable[[list[int], list[Floats]], list[Evaluated]]  # the numbers of minimisations, and their points


class _StoppedError(Exception):
    """The evaluation of another minimisation failed."""


@dataclass(frozen=True)
class _Message:
    """A point to evaluate, the result, or the error of a minimisation."""

    number: int
    point: Floats | None = None
    result: Floats | None = None
    error: BaseException | None = None


def minimize_together(evaluate: Evaluate, starts: Sequence[Floats], steps: int) -> list[Floats]:
    """Take at most `steps` steps of L-BFGS from each start; returns the last points.

    `evaluate` is called in this thread. Each result is what a minimisation by itself would return.
    """
    messages: queue.Queue[_Message] = queue.Queue()
    replies: list[queue.Queue[Evaluated | None]] = [queue.Queue() for _ in starts]
    results: dict[int, Floats] = {}
    with ThreadPoolExecutor(len(starts)) as threads:
        for number, start in enumerate(starts):
            threads.submit(_minimize, number, start, steps, messages, replies[number])
        waiting: dict[int, Floats] = {}
        try:
            while len(results) < len(starts):
                while len(waiting) + len(results) < len(starts):
                    _receive(messages.get(), waiting, results)
                numbers = sorted(waiting)
                found = evaluate(numbers, [waiting[number] for number in numbers]) if numbers else []
                for number, evaluated in zip(numbers, found, strict=True):
                    del waiting[number]
                    replies[number].put(evaluated)
        finally:
            for reply in replies:
                reply.put(None)  # a thread that still waits ends
    return [results[number] for number in range(len(starts))]


def _receive(message: _Message, waiting: dict[int, Floats], results: dict[int, Floats]) -> None:
    """Note what a minimisation needs or has found; raises its error."""
    if message.error:
        raise message.error
    if message.result is not None:
        results[message.number] = message.result
    elif message.point is not None:
        waiting[message.number] = message.point


def _minimize(
    number: int,
    start: Floats,
    steps: int,
    messages: "queue.Queue[_Message]",
    replies: "queue.Queue[Evaluated | None]",
) -> None:
    """Run one minimisation, whose values come from the other side of the queues."""
    from scipy.optimize import minimize

    def loss(point: Floats) -> Evaluated:
        messages.put(_Message(number, point=point.copy()))
        reply = replies.get()
        if reply is None:
            raise _StoppedError
        return reply

    options: dict[str, Any] = {"maxiter": steps, **NO_EARLY_STOP}
    try:
        result = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        messages.put(_Message(number, result=np.asarray(result.x)))
    except BaseException as error:  # noqa: BLE001  (raised in the thread that waits for the result)
        messages.put(_Message(number, error=error))
