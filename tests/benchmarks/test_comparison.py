import pytest

from benchmarks.comparison import Comparison, measure_in_turns


def test_ratios_are_of_medians_and_of_minima() -> None:
    comparison = Comparison("row", "ms", (1.0, 2.0, 90.0), (4.0, 8.0, 5.0))
    assert (comparison.ratio, comparison.ratio_of_minima) == (2 / 5, 1 / 4)


@pytest.mark.parametrize(("limit", "is_met"), [(0.4, True), (0.39, False), (None, None)])
def test_a_limit_is_met_up_to_its_value(limit: float | None, is_met: bool | None) -> None:
    assert Comparison("row", "ms", (2.0,), (5.0,), limit).is_met is is_met


def test_contestants_take_turns() -> None:
    order: list[str] = []
    measured = measure_in_turns(
        {name: lambda name=name: order.append(name) or len(order) for name in ("ours", "theirs")}, 2
    )
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert measured == {"ours": (1, 3), "theirs": (2, 4)}
