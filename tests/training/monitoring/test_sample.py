import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.data.collect import collect_generated
from training.data.review_rows import ReviewRow
from training.data.reviews import DataError, Review, write
from training.monitoring import sample
from training.monitoring.sample import TooFewReviewsError, rows_since, sample_reviews, training_samples

TEXTS = [f"Review number {number}." for number in range(150)]


def test_a_sample_has_each_text_once_and_is_repeatable() -> None:
    drawn = sample_reviews("new", [*TEXTS, *TEXTS[:20], "", "  "], seed=1)
    assert (drawn.total, drawn.repeated, len(drawn)) == (150, 20, 150)
    assert drawn == sample_reviews("new", [*TEXTS, *TEXTS[:20]], seed=1)


def test_a_sample_has_a_limited_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MAX_REVIEWS", 120)
    drawn = sample_reviews("new", TEXTS, seed=1)
    assert (drawn.total, len(drawn)) == (150, 120)
    assert drawn != sample_reviews("new", TEXTS, seed=2)


@pytest.mark.parametrize("texts", [TEXTS[:20], TEXTS[:20] * 10, []])
def test_few_different_reviews_are_too_few_to_say(texts: list[str]) -> None:
    with pytest.raises(TooFewReviewsError, match="too few to say whether there is drift"):
        sample_reviews("new", texts, seed=1)


def test_scores_are_compared_with_reviews_that_were_not_trained_on(tmp_path: Path) -> None:
    collect_generated(100, tmp_path)
    old, scored, seen = training_samples(tmp_path, seed=1)
    texts = [json.loads(line) for line in (tmp_path / "reviews.jsonl").read_text().splitlines()]
    assert not seen
    assert (old.total, scored.total) == (200, 200)
    assert {row["split"] for row in texts} == {"train", "test"}
    assert old.words != scored.words


def test_without_test_reviews_scores_are_compared_with_those_of_training(tmp_path: Path) -> None:
    write(tmp_path, [Review("train", number, number % 2, None, text) for number, text in enumerate(TEXTS)], "own.csv")
    old, scored, seen = training_samples(tmp_path, seed=1)
    assert seen
    assert scored is old


def test_a_missing_or_changed_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Run `verdict data`"):
        training_samples(tmp_path / "nothing", seed=1)
    collect_generated(100, tmp_path)
    with (tmp_path / "reviews.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(DataError, match="was changed"):
        training_samples(tmp_path, seed=1)


def test_only_reviews_since_a_time_are_kept() -> None:
    times = ["2026-01-01", "2026-02-01T00:00:00Z", "2026-02-01T00:30:00+01:00", "2026-03-01T10:00:00"]
    rows = [ReviewRow(str(place), "Fine.", time=time) for place, time in enumerate(times)]
    assert [row.id for row in rows_since("new", rows, datetime(2026, 2, 1, tzinfo=UTC))] == ["1", "3"]
    assert rows_since("new", rows, None) == rows


@pytest.mark.parametrize(("time", "fault"), [(None, "has no time"), ("yesterday", "is not ISO 8601")])
def test_a_row_without_a_usable_time_is_an_error(time: str | None, fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        rows_since("new", [ReviewRow("1", "Fine.", time=time)], datetime(2026, 2, 1, tzinfo=UTC))
