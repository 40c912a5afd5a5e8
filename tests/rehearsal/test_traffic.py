"""The askers of a rehearsal count what they get, and take nothing but a verdict for one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event

import pytest

from rehearsal.traffic import Traffic
from simulator.listener import Listening
from simulator.wire import Answer, ConnectionCutError, Request, json_answer

VERDICT = {"label": "positive", "score": 0.9, "variant": "release", "release": "one"}


class App:
    """Answers as told, and tells when it was asked often enough."""

    def __init__(self, answers: list[Answer | None], requests: int) -> None:
        self._answers = answers
        self._requests = requests
        self._number = count()
        self.asked_enough = Event()

    def answer(self, request: Request) -> Answer:
        assert request.path == "/site/predict"
        assert json.loads(request.body)["review"]
        number = next(self._number)
        if number >= self._requests:
            self.asked_enough.set()
        answer = self._answers[number % len(self._answers)]
        if answer is None:
            raise ConnectionCutError
        return answer


@contextmanager
def asked(answers: list[Answer | None], requests: int) -> Iterator[Traffic]:
    """Let two askers ask an app until so many requests were made."""
    app = App(answers, requests)
    listening = Listening(0, app)
    try:
        with Traffic(f"{listening.url}/site/", askers=2) as traffic:
            assert app.asked_enough.wait(60)
        yield traffic
    finally:
        listening.stop()


def test_verdicts_are_counted_by_variant_and_release() -> None:
    with asked([json_answer(VERDICT), json_answer({**VERDICT, "variant": "linear"})], 40) as traffic:
        tally = traffic.tally
    assert tally.failed == 0
    assert tally.variants.total() == tally.releases["one"] == tally.requests >= 40
    assert set(tally.variants) == {"release", "linear"}


@pytest.mark.parametrize(
    "bad",
    [
        json_answer({"label": "positive"}),
        json_answer({**VERDICT, "score": 1.5}),
        json_answer({**VERDICT, "label": "perhaps"}),
        json_answer(VERDICT, 503),
        Answer(200, b"<html>"),
        None,
    ],
    ids=["no score", "no probability", "no label", "503", "no JSON", "cut"],
)
def test_anything_but_a_verdict_is_a_failure(bad: Answer | None) -> None:
    with asked([bad, json_answer(VERDICT)], 20) as traffic:
        tally = traffic.tally
    assert 0 < tally.failed < tally.requests
    assert tally.failures
    assert len(tally.failures) <= 10
