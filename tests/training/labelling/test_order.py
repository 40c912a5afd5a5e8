from collections.abc import Sequence

import pytest

from tests.hand_labels import review_rows
from training.data.review_rows import ReviewRow
from training.data.reviews import DataError
from training.labelling.order import in_order


def no_model(texts: Sequence[str]) -> Sequence[float]:
    raise AssertionError(texts)


def test_random_order_is_the_same_for_every_labeller_and_file() -> None:
    rows = review_rows(40)
    ordered = in_order(rows, "random", no_model)
    assert ordered != rows
    assert sorted(ordered, key=lambda row: int(row.id)) == rows
    assert in_order(rows[::-1], "random", no_model) == ordered
    assert in_order(rows[:20], "random", no_model) == [row for row in ordered if int(row.id) < 20]


def test_least_sure_begins_with_the_scores_next_to_half() -> None:
    rows = [ReviewRow(str(score), "Fine.", score=score) for score in (0.99, 0.45, 0.2, 0.52)]
    assert [row.score for row in in_order(rows, "least-sure", no_model)] == [0.52, 0.45, 0.2, 0.99]


@pytest.mark.parametrize("scores", [(None, 0.4), (0.0, 1.0)])
def test_without_usable_scores_the_model_scores(scores: tuple[float | None, ...]) -> None:
    rows = [ReviewRow(str(place), f"text {place}", score=score) for place, score in enumerate(scores)]
    ordered = in_order(rows, "least-sure", lambda texts: [0.5 if text == "text 1" else 0.9 for text in texts])
    assert [row.id for row in ordered] == ["1", "0"]


def test_disagreements_are_the_corrected_verdicts() -> None:
    rows = [
        ReviewRow("same", "Fine.", verdict="positive", correction="positive"),
        ReviewRow("corrected", "Fine.", verdict="positive", correction="negative"),
        ReviewRow("not corrected", "Fine.", verdict="positive"),
    ]
    assert [row.id for row in in_order(rows, "disagreements", no_model)] == ["corrected"]
    with pytest.raises(DataError, match="No review has a correction"):
        in_order(review_rows(3), "disagreements", no_model)
