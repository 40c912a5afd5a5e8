import json

from simulator.endpoint_faults import Misbehaviour
from simulator.runtime import LONGEST_INVOCATION_SECONDS, VARIANT, RuntimeEndpoint, Variant
from simulator.server import packaged_container

ROW = b"0:1 5:1"


def test_a_slow_endpoint_answers_rightly_after_its_pause() -> None:
    pauses: list[float] = []
    endpoint = RuntimeEndpoint("any", [Variant(VARIANT, 1.0, packaged_container())], pause=pauses.append)
    right = endpoint.invoke("any", {}, ROW)
    endpoint.orders.misbehave(Misbehaviour("slow", 3))
    assert endpoint.invoke("any", {}, ROW).body == right.body
    assert pauses == [0, 3]


def test_an_invocation_past_the_limit_of_the_service_times_out_as_a_model_error() -> None:
    pauses: list[float] = []
    endpoint = RuntimeEndpoint("any", [Variant(VARIANT, 1.0, packaged_container())], pause=pauses.append)
    endpoint.orders.misbehave(Misbehaviour("slow", LONGEST_INVOCATION_SECONDS + 1))
    answer = endpoint.invoke("any", {}, ROW)
    assert (answer.status, json.loads(answer.body)["OriginalStatusCode"]) == (424, 0)
    assert pauses == [LONGEST_INVOCATION_SECONDS]


def test_who_listens_hears_of_the_containers_status_and_time() -> None:
    heard: list[tuple[str, int, float]] = []
    seconds = 0.0

    def pass_time(length: float) -> None:
        nonlocal seconds
        seconds += length

    endpoint = RuntimeEndpoint(
        "any",
        [Variant(VARIANT, 1.0, packaged_container())],
        pause=pass_time,
        told=lambda *one: heard.append(one),
        clock=lambda: seconds,
    )
    for order in (
        Misbehaviour("slow", 3),
        Misbehaviour("slow", LONGEST_INVOCATION_SECONDS + 1),
        Misbehaviour("throttled"),
    ):
        endpoint.orders.misbehave(order)
        endpoint.invoke("any", {}, ROW)
    assert heard == [(VARIANT, 200, 3), (VARIANT, 0, LONGEST_INVOCATION_SECONDS)]
