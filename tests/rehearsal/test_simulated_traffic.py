"""Simulated traffic counts responses by variant and release, and every invalid response as a failure."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event

import pytest

from rehearsal.simulated_traffic import SimulatedTraffic
from simulator.listener import Listening
from simulator.wire import Answer, ConnectionCutError, Request, json_answer

PREDICTION = {"label": "positive", "score": 0.9, "variant": "release", "release": "one"}


class App:
    """An app that returns prepared responses in turn, and signals when it has received enough requests."""

    def __init__(self, answers: list[Answer | None], requests: int) -> None:
        self._answers = answers
        self._requests = requests
        self._number = count()
        self.has_enough = Event()

    def answer(self, request: Request) -> Answer:
        assert request.path == "/site/predict"
        assert json.loads(request.body)["review"]
        number = next(self._number)
        if number >= self._requests:
            self.has_enough.set()
        answer = self._answers[number % len(self._answers)]
        if answer is None:
            raise ConnectionCutError
        return answer


@contextmanager
def traffic_to(answers: list[Answer | None], requests: int) -> Iterator[SimulatedTraffic]:
    """Run two clients against an app until it has received a number of requests."""
    app = App(answers, requests)
    listening = Listening(0, app)
    try:
        with SimulatedTraffic(f"{listening.url}/site/", clients=2) as traffic:
            assert app.has_enough.wait(60)
        yield traffic
    finally:
        listening.stop()


def test_predictions_are_counted_by_variant_and_release() -> None:
    with traffic_to([json_answer(PREDICTION), json_answer({**PREDICTION, "variant": "linear"})], 40) as traffic:
        counts = traffic.counts
    assert counts.failed == 0
    assert counts.variants.total() == counts.releases["one"] == counts.requests >= 40
    assert set(counts.variants) == {"release", "linear"}


@pytest.mark.parametrize(
    "invalid",
    [
        json_answer({"label": "positive"}),
        json_answer({**PREDICTION, "score": 1.5}),
        json_answer({**PREDICTION, "label": "perhaps"}),
        json_answer(PREDICTION, 503),
        Answer(200, b"<html>"),
        None,
    ],
    ids=["no score", "no probability", "no label", "503", "no JSON", "cut"],
)
def test_any_other_response_is_a_failure(invalid: Answer | None) -> None:
    with traffic_to([invalid, json_answer(PREDICTION)], 20) as traffic:
        counts = traffic.counts
    assert 0 < counts.failed < counts.requests
    assert counts.failures
    assert len(counts.failures) <= 10
