"""Simulated traffic counts responses by variant and release, and every invalid response as a failure."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event

import pytest

from rehearsal.simulated_traffic import SimulatedTraffic
from simulator.http.messages import ConnectionCutError, HttpRequest, HttpResponse, json_response
from simulator.http.server import HttpServer

PREDICTION = {"label": "positive", "score": 0.9, "variant": "release", "release": "one"}


class App:
    """An app that returns prepared responses in turn, and signals when it has received enough requests."""

    def __init__(self, answers: list[HttpResponse | None], requests: int) -> None:
        self._answers = answers
        self._requests = requests
        self._number = count()
        self.has_enough = Event()

    def handle(self, request: HttpRequest) -> HttpResponse:
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
def traffic_to(answers: list[HttpResponse | None], requests: int) -> Iterator[SimulatedTraffic]:
    """Run two clients against an app until it has received a number of requests."""
    app = App(answers, requests)
    listening = HttpServer(0, app)
    try:
        with SimulatedTraffic(f"{listening.url}/site/", clients=2) as traffic:
            assert app.has_enough.wait(60)
        yield traffic
    finally:
        listening.stop()


def test_predictions_are_counted_by_variant_and_release() -> None:
    with traffic_to([json_response(PREDICTION), json_response({**PREDICTION, "variant": "linear"})], 40) as traffic:
        counts = traffic.counts
    assert counts.failed == 0
    assert counts.variants.total() == counts.releases["one"] == counts.requests >= 40
    assert set(counts.variants) == {"release", "linear"}


@pytest.mark.parametrize(
    "invalid",
    [
        json_response({"label": "positive"}),
        json_response({**PREDICTION, "score": 1.5}),
        json_response({**PREDICTION, "label": "perhaps"}),
        json_response(PREDICTION, 503),
        HttpResponse(200, b"<html>"),
        None,
    ],
    ids=["no score", "no probability", "no label", "503", "no JSON", "cut"],
)
def test_any_other_response_is_a_failure(invalid: HttpResponse | None) -> None:
    with traffic_to([invalid, json_response(PREDICTION)], 20) as traffic:
        counts = traffic.counts
    assert 0 < counts.failed < counts.requests
    assert counts.failures
    assert len(counts.failures) <= 10
