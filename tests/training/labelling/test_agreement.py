import random

import pytest
from sklearn.metrics import cohen_kappa_score

from tests.hand_labels import label_of
from training.data.hand_labels import LABELS, HandLabel, Label
from training.data.reviews import DataError
from training.labelling.agreement import compare_labels


def labels(names: list[Label], labeller: str = "ann") -> list[HandLabel]:
    return [label_of(str(number), name, labeller) for number, name in enumerate(names)]


def test_kappa_is_that_of_a_published_example() -> None:
    """20 both yes, 15 both no, 5 and 10 mixed: the example of Wikipedia's article on Cohen's kappa has 0.40."""
    first: list[Label] = ["positive"] * 25 + ["negative"] * 25
    second: list[Label] = ["positive"] * 20 + ["negative"] * 5 + ["positive"] * 10 + ["negative"] * 15
    agreement = compare_labels(labels(first), labels(second, "bob"))
    assert agreement.kappa == pytest.approx(0.4)
    assert agreement.interval
    low, high = agreement.interval
    assert 0.1 < low < 0.4 < high < 0.7
    assert (agreement.reviews, agreement.agreed, len(agreement.differences)) == (50, 35, 15)
    assert agreement.labellers == ("ann", "bob")


def test_kappa_equals_that_of_scikit_learn() -> None:
    generator = random.Random(1)
    first: list[Label] = generator.choices(LABELS[:4], [5, 4, 2, 1], k=200)
    second: list[Label] = [name if generator.random() < 0.7 else generator.choice(LABELS[:4]) for name in first]
    assert compare_labels(labels(first), labels(second)).kappa == pytest.approx(cohen_kappa_score(first, second))


def test_only_reviews_with_two_labels_are_compared() -> None:
    first = labels(["positive", "negative", "skipped", "mixed"])
    second = labels(["negative", "skipped", "positive"])
    agreement = compare_labels(first, second)
    assert agreement.reviews == 1
    assert [(each.id, each.first, each.second) for each in agreement.differences] == [("0", "positive", "negative")]
    with pytest.raises(DataError, match="No review has a label in both files"):
        compare_labels(first[3:], second)


def test_one_label_only_leaves_kappa_undefined() -> None:
    agreement = compare_labels(labels(["positive"] * 60), labels(["positive"] * 60))
    assert agreement.kappa is None
    assert agreement.judgement == (
        "The same label for 60 of 60 reviews (100%). Only one label was used, so Cohen's kappa is undefined."
    )


def test_ten_labels_are_called_few_and_agreement_has_no_interval() -> None:
    names: list[Label] = ["positive"] * 5 + ["negative"] * 5
    agreement = compare_labels(labels(names), labels(names))
    assert agreement.interval is None
    assert agreement.judgement == (
        "The same label for 10 of 10 reviews (100%); Cohen's kappa is 1.00. 10 reviews are few: label at least 50."
    )
