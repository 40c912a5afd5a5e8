import pytest

from chalicelib import release
from operations.comparison.agreement import SHOWN, measure, paired_accuracy
from operations.comparison.confidence_sequence import ALPHA
from operations.comparison.labelled_answers import Answer

RELEASE = release.load()  # not sure strictly between 0.19 and 0.81


def test_the_strongest_disagreements_come_first() -> None:
    agreement = measure(["a", "b", "c", "d"], [0.9, 0.9, 0.5, 0.81], [0.95, 0.1, 0.9, 0.99], RELEASE)
    assert agreement.same_verdict == 0.5
    assert agreement.mean_difference == pytest.approx((0.05 + 0.8 + 0.4 + 0.18) / 4)
    assert [pair.review for pair in agreement.strongest] == ["b", "c"]


def test_few_disagreements_are_listed() -> None:
    count = 3 * SHOWN
    agreement = measure([str(number) for number in range(count)], [0.9] * count, [0.1] * count, RELEASE)
    assert agreement.same_verdict == 0
    assert len(agreement.strongest) == SHOWN


def test_each_text_counts_once_for_both_variants() -> None:
    records = [Answer("", str(number), 0.5, "release", "positive", "sample") for number in range(100)]
    difference = paired_accuracy(records, [0.9] * 90 + [0.1] * 10, [0.9] * 80 + [0.1] * 10 + [0.9] * 10, ALPHA)
    assert difference.value == pytest.approx(0.0)
    assert difference.count == difference.clock == 100
