import json
import random
from collections import Counter

import pytest
from werkzeug.datastructures import Headers

from simulator.endpoint.local_endpoint import packaged_container
from simulator.endpoint.runtime import INVOCATION_TIMEOUT_SECONDS, VARIANT, RuntimeEndpoint, Variant
from simulator.faults.endpoint_faults import EndpointFault

ROW = b"0:1 5:1"


def test_slow_endpoint_returns_the_right_scores() -> None:
    pauses: list[float] = []
    endpoint = RuntimeEndpoint("any", [Variant(VARIANT, 1.0, packaged_container())], pause=pauses.append)
    right = endpoint.invoke("any", Headers(), ROW)
    endpoint.faults.inject(EndpointFault("slow", 3))
    assert endpoint.invoke("any", Headers(), ROW).body == right.body
    assert pauses == [0, 3]


def test_slow_invocation_times_out_as_a_model_error() -> None:
    pauses: list[float] = []
    endpoint = RuntimeEndpoint("any", [Variant(VARIANT, 1.0, packaged_container())], pause=pauses.append)
    endpoint.faults.inject(EndpointFault("slow", INVOCATION_TIMEOUT_SECONDS + 1))
    answer = endpoint.invoke("any", Headers(), ROW)
    assert (answer.status, json.loads(answer.body)["OriginalStatusCode"]) == (424, 0)
    assert pauses == [INVOCATION_TIMEOUT_SECONDS]


def test_invocations_are_reported_with_status_and_duration() -> None:
    heard: list[tuple[str, int, float]] = []
    seconds = 0.0

    def pass_time(length: float) -> None:
        nonlocal seconds
        seconds += length

    endpoint = RuntimeEndpoint(
        "any",
        [Variant(VARIANT, 1.0, packaged_container())],
        pause=pass_time,
        on_invocation=lambda *one: heard.append(one),
        clock=lambda: seconds,
    )
    for order in (
        EndpointFault("slow", 3),
        EndpointFault("slow", INVOCATION_TIMEOUT_SECONDS + 1),
        EndpointFault("throttled"),
    ):
        endpoint.faults.inject(order)
        endpoint.invoke("any", Headers(), ROW)
    assert heard == [(VARIANT, 200, 3), (VARIANT, 0, INVOCATION_TIMEOUT_SECONDS)]


def variants_of_40_calls(seed: int, *weights: float) -> Counter[str]:
    """Count the variants A, B, ... that answer 40 calls."""
    container = packaged_container()
    variants = [Variant(name, weight, container) for name, weight in zip("ABC", weights, strict=False)]
    endpoint = RuntimeEndpoint("any", variants, pause=lambda seconds: None, draw=random.Random(seed).random)
    answers = [endpoint.invoke("any", Headers(), ROW) for _ in range(40)]
    return Counter(answer.headers["x-Amzn-Invoked-Production-Variant"] for answer in answers)


def test_each_call_draws_its_variant_and_a_seed_repeats_the_draws() -> None:
    shares = [variants_of_40_calls(seed, 1.0, 1.0)["A"] for seed in range(12)]
    assert len(set(shares)) > 3  # not 20 of 40 every time
    assert sum(shares) == pytest.approx(12 * 20, abs=40)
    assert variants_of_40_calls(5, 1.0, 1.0) == variants_of_40_calls(5, 1.0, 1.0)


def test_draws_follow_the_weights_and_skip_weight_0() -> None:
    counts = sum((variants_of_40_calls(seed, 90.0, 0.0, 10.0) for seed in range(12)), Counter[str]())
    assert set(counts) == {"A", "C"}
    assert counts["C"] == pytest.approx(48, abs=24)
