"""Tests of the judgement of responses: that a wrong one is found."""

import json
from typing import Any

import pytest

from soak.cases import BAD, REQUEST_ID, SHORT, Case
from soak.faults import RIGHT_ANSWER, FaultTimeline
from soak.tally import (
    CONSTANT,
    MIN_REQUESTS,
    RIGHT,
    UNEXPLAINED,
    UNIQUE,
    WRONG,
    Memory,
    Outcome,
    Tally,
    judge,
    judge_failure,
)

ANSWER = {"label": "positive", "score": 0.9, "request_id": REQUEST_ID}
CASE = Case(SHORT, {}, 200, ANSWER)
BAD_CASE = Case(BAD, {}, 422, "empty-review", calls_endpoint=False)


def response(status: int, document: object, media_type: str = "application/json") -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": media_type}, "body": json.dumps(document)}


def problem(status: int, name: str, request_id: str = "id-1") -> dict[str, Any]:
    document = {"type": f"urn:verdict:problem:{name}", "status": status, "request_id": request_id}
    return response(status, document, "application/problem+json")


@pytest.mark.parametrize(
    ("given", "allowed", "expected"),
    [
        (response(200, ANSWER | {"request_id": "id-1"}), RIGHT_ANSWER, RIGHT),
        (response(200, ANSWER | {"request_id": "id-2"}), RIGHT_ANSWER, WRONG),
        (response(200, ANSWER | {"request_id": "id-1", "score": 0.8}), RIGHT_ANSWER, WRONG),
        (response(200, ANSWER | {"request_id": "id-1"}), "endpoint-busy", WRONG),
        (problem(503, "endpoint-busy"), "endpoint-busy", "endpoint-busy"),
        (problem(502, "endpoint-busy"), "endpoint-busy", UNEXPLAINED),
        (problem(503, "endpoint-busy", "id-2"), "endpoint-busy", UNEXPLAINED),
        (problem(503, "endpoint-busy"), "endpoint-down", UNEXPLAINED),
        (problem(503, "endpoint-busy"), RIGHT_ANSWER, UNEXPLAINED),
    ],
)
def test_a_response_is_compared_with_what_is_allowed(given: dict[str, Any], allowed: str, expected: str) -> None:
    assert judge(CASE, given, "id-1", frozenset({allowed})).name == expected


def test_bad_input_has_its_own_problem_whatever_the_fault() -> None:
    assert judge(BAD_CASE, problem(422, "empty-review"), "id-1", frozenset({"endpoint-busy"})).name == RIGHT
    assert judge(BAD_CASE, problem(503, "endpoint-busy"), "id-1", frozenset({"endpoint-busy"})).name == UNEXPLAINED


def test_only_a_killed_worker_explains_a_failed_function() -> None:
    assert judge_failure("ended", frozenset({"function-failed"})).name == "function-failed"
    assert judge_failure("ended", frozenset({RIGHT_ANSWER})).name == UNEXPLAINED


def test_a_request_may_have_met_every_fault_since_it_was_sent() -> None:
    timeline = FaultTimeline()
    timeline.set(RIGHT_ANSWER, "endpoint-busy")
    sent = timeline.position
    timeline.set("endpoint-busy")
    assert timeline.allowed_since(sent) == {RIGHT_ANSWER, "endpoint-busy"}
    assert timeline.allowed_since(timeline.position) == {"endpoint-busy"}


def tally_of(growth: dict[str, float], requests: int = 2 * MIN_REQUESTS) -> Tally:
    """Return a tally of workers that grow by these bytes per request, after a steep start and with noise."""
    tally = Tally()
    for number in range(0, requests + 1, 100):
        for name, slope in growth.items():
            start = min(number, 1_000) * 5_000
            tally.memory[name].append(Memory(number, int(60e6 + start + slope * number + number * 7919 % 50_000)))
    return tally


@pytest.mark.parametrize(
    ("unique", "constant", "fits"), [(0, 0, True), (500, 50, True), (500, 150, False), (1_100, 50, False)]
)
def test_memory_that_grows_fails_a_run(unique: float, constant: float, fits: bool) -> None:
    growth = {UNIQUE: unique, CONSTANT: constant}
    tally = tally_of(growth)
    assert tally.bytes_per_request(UNIQUE) == pytest.approx(unique, abs=2)
    assert (tally.memory_fits, tally.failed) == (fits, not fits)
    assert tally_of(growth, MIN_REQUESTS - 100).memory_fits is None


@pytest.mark.parametrize(
    ("name", "failed"), [(RIGHT, False), ("endpoint-busy", False), (WRONG, True), (UNEXPLAINED, True)]
)
def test_a_wrong_answer_fails_a_run(name: str, failed: bool) -> None:
    tally = Tally()
    tally.add(SHORT, Outcome(name, "detail"), 1.0)
    assert tally.failed is failed
