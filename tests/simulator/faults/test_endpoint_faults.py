import pytest

from simulator.faults.endpoint_faults import (
    DISTORTIONS,
    ERRORS,
    KINDS,
    NO_FAULT,
    EndpointFault,
    EndpointFaultInjector,
    UnknownEndpointFaultError,
)


def test_slow_takes_seconds() -> None:
    assert EndpointFault.parse("slow:2.5") == EndpointFault("slow", 2.5)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slow"])
def test_every_other_kind_is_a_word(kind: str) -> None:
    assert EndpointFault.parse(kind) == EndpointFault(kind)


@pytest.mark.parametrize("text", ["", "moody", "slow", "slow:", "slow:soon", "slow:-1", "slow:.", "cut:3"])
def test_unknown_faults_are_rejected(text: str) -> None:
    with pytest.raises(UnknownEndpointFaultError, match="slow:3"):
        EndpointFault.parse(text)


def test_fault_lasts_for_the_given_number_of_requests() -> None:
    orders = EndpointFaultInjector()
    throttled = EndpointFault("throttled")
    orders.inject(throttled, times=2)
    assert [orders.take(), orders.take(), orders.take()] == [throttled, throttled, NO_FAULT]
    assert orders.requests == 3


def test_fault_without_a_number_lasts_until_cleared() -> None:
    orders = EndpointFaultInjector()
    cut = EndpointFault("cut")
    orders.inject(cut)
    assert {orders.take() for _ in range(5)} == {cut}
    orders.clear()
    assert orders.take() == NO_FAULT


def test_no_kind_is_in_two_tables() -> None:
    assert len(set(KINDS)) == len(KINDS)
    assert not ERRORS.keys() & DISTORTIONS.keys()


@pytest.mark.parametrize(
    ("kind", "scores"), [("short", [0.1]), ("extra", [0.1, 0.2, 0.5]), ("out-of-range", [0.1, 1.5])]
)
def test_a_distortion_leaves_the_other_scores_alone(kind: str, scores: list[float]) -> None:
    assert DISTORTIONS[kind]([0.1, 0.2]) == scores
