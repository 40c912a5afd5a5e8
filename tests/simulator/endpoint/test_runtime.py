import json

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
