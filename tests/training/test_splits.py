import pytest

from training.reviews import DataError, Review, read, write
from training.splits import assign, thinned


def official_like(count=50):
    for split in ("train", "test"):
        for number in range(count):
            for label in (0, 1):
                yield Review(split, number, label, None, f"{split} {number} {label}")


def placed(folder):
    path = folder / "reviews.jsonl"
    splits = assign(path)
    return {review.id: splits.of(review) for review in read(path)}


def test_validation_is_every_fifth_of_25_blocks(tmp_path):
    write(tmp_path, official_like(50), "test")
    held_out = sorted(int(id_.split("/")[2]) for id_, split in placed(tmp_path).items() if split == "validation")
    assert held_out == sorted([8, 9, 18, 19, 28, 29, 38, 39, 48, 49] * 2)


def test_the_official_set_is_held_out_in_blocks_of_500():
    from training.splits import Splits

    rule = Splits(12_500, frozenset())
    for number in range(12_500):
        expected = "validation" if number // 500 % 5 == 4 else "train"
        assert rule.of(Review("train", number, 1, None, "")) == expected


def test_the_official_test_stays_test(tmp_path):
    write(tmp_path, official_like(), "test")
    assert {split for id_, split in placed(tmp_path).items() if id_.startswith("test")} == {"test"}


def test_no_text_is_in_two_splits(tmp_path):
    reviews = [
        *official_like(),
        Review("train", 50, 1, None, "Train  8 1"),  # the text of a review that is held out, but for case and space
        Review("train", 51, 0, None, "test 3 0"),
    ]
    write(tmp_path, reviews, "test")
    found = placed(tmp_path)
    assert found["train/pos/50"] is None or found["train/pos/8"] is None
    assert found["train/neg/51"] is None
    assert found["test/neg/3"] == "test"


def test_a_shared_text_stays_in_the_later_split_and_repeats_within_a_split_stay(tmp_path):
    reviews = [
        Review("train", number, 1, None, "same" if number in (0, 1, 24) else str(number)) for number in range(25)
    ]
    write(tmp_path, reviews, "test")
    found = placed(tmp_path)
    assert (found["train/pos/0"], found["train/pos/1"], found["train/pos/24"]) == (None, None, "validation")
    reviews = [Review("train", number, 1, None, "same" if number in (0, 1) else str(number)) for number in range(25)]
    write(tmp_path, reviews, "test")
    assert [placed(tmp_path)[f"train/pos/{number}"] for number in (0, 1)] == ["train", "train"]


def test_a_thinned_train_is_a_fixed_part_of_it_and_nothing_else_changes(tmp_path):
    write(tmp_path, official_like(), "test")
    path = tmp_path / "reviews.jsonl"
    whole = assign(path)
    few, fewer = ({review.id for review in read(path) if thinned(path, whole, n).of(review)} for n in (30, 20))
    everything = {review.id for review in read(path)}
    train = {review.id for review in read(path) if whole.of(review) == "train"}
    assert fewer < few < everything
    assert (len(fewer & train), len(few & train)) == (20, 30)
    assert everything - train < fewer
    assert thinned(path, whole, len(train)) == whole


def test_too_few_reviews_are_refused(tmp_path):
    write(tmp_path, [Review("train", 0, 1, None, "good"), Review("train", 0, 0, None, "bad")], "test")
    with pytest.raises(DataError, match="too few reviews"):
        assign(tmp_path / "reviews.jsonl")
