import random
from collections import defaultdict
from itertools import product

import pytest

from training.data.reviews import DataError, Review, read, write
from training.data.splits import FOLDS, TEST, Splits, assign, thinned


def official_like(count=50):
    for split in ("train", "test"):
        for number in range(count):
            for label in (0, 1):
                yield Review(split, number, label, None, f"{split} {number} {label}")


def placed(folder):
    path = folder / "reviews.jsonl"
    splits = assign(path)
    return {review.id: splits.of(review) for review in read(path)}


def test_a_fold_is_every_fifth_of_25_blocks(tmp_path):
    write(tmp_path, official_like(50), "test")
    for fold in range(FOLDS):
        held = sorted(int(id_.split("/")[2]) for id_, place in placed(tmp_path).items() if place == fold)
        assert held == sorted([10 * k + 2 * fold + i for k in range(5) for i in (0, 1)] * 2)


def test_the_official_set_is_folded_in_blocks_of_500():
    rule = Splits(12_500, frozenset())
    for number in range(12_500):
        assert rule.of(Review("train", number, 1, None, "")) == number // 500 % 5


def test_the_official_test_stays_test_and_is_not_learned_from(tmp_path):
    write(tmp_path, official_like(), "test")
    assert {place for id_, place in placed(tmp_path).items() if id_.startswith("test")} == {TEST}
    path = tmp_path / "reviews.jsonl"
    splits = assign(path)
    assert {review.split for review in read(path) if splits.learns(review)} == {"train"}


def test_no_text_is_in_two_splits(tmp_path):
    reviews = [
        *official_like(),
        Review("train", 50, 1, None, "Train  7 1"),  # the text of a review of another fold, but for case and space
        Review("train", 51, 0, None, "test 3 0"),
    ]
    write(tmp_path, reviews, "test")
    found = placed(tmp_path)
    assert (found["train/pos/7"], found["train/pos/50"]) == (None, 4)
    assert found["train/neg/51"] is None
    assert found["test/neg/3"] == TEST


def test_what_was_dropped_is_not_learned_from(tmp_path):
    write(tmp_path, [*official_like(), Review("train", 50, 0, None, "test 3 0")], "test")
    path = tmp_path / "reviews.jsonl"
    splits = assign(path)
    assert "train/neg/50" not in {review.id for review in read(path) if splits.learns(review)}


def test_no_two_places_share_a_text_however_many_hold_it(tmp_path):
    """Texts that come again at random: whatever is left of them is in one place."""
    chance = random.Random(7)
    reviews = [
        Review(split, number, label, None, f"text {chance.randrange(150)}" if chance.random() < 0.5 else f"{split} {n}")
        for n, (split, number, label) in enumerate(product(("train", "test"), range(100), (0, 1)))
    ]
    write(tmp_path, reviews, "test")
    found = placed(tmp_path)
    places = defaultdict(set)
    for review in reviews:
        places[review.text].add(found[review.id])
    assert any(None in held for held in places.values())
    assert all(len(held - {None}) == 1 for held in places.values())


def test_a_shared_text_stays_in_the_later_fold_and_repeats_within_a_fold_stay(tmp_path):
    def with_the_same_text(*numbers):
        reviews = [
            Review("train", number, label, None, "same" if number in numbers and label else f"{number} {label}")
            for number in range(25)
            for label in (0, 1)
        ]
        write(tmp_path, reviews, "test")
        return [placed(tmp_path)[f"train/pos/{number}"] for number in numbers]

    assert with_the_same_text(0, 3, 6, 8, 24) == [None, None, None, None, 4]
    assert with_the_same_text(0, 3, 6) == [None, 3, None]
    assert with_the_same_text(1, 6, 21) == [1, 1, 1]


def test_a_thinned_train_is_a_fixed_part_of_it_and_nothing_else_changes(tmp_path):
    write(tmp_path, official_like(), "test")
    path = tmp_path / "reviews.jsonl"
    whole = assign(path)
    few, fewer = (thinned(path, whole, n) for n in (30, 20))

    def kept(splits):
        return {review.id: splits.of(review) for review in read(path) if splits.of(review) is not None}

    train = {review.id for review in read(path) if whole.learns(review)}
    assert kept(fewer).items() < kept(few).items() < kept(whole).items()
    assert (len(kept(fewer).keys() & train), len(kept(few).keys() & train)) == (20, 30)
    assert kept(whole).keys() - train < kept(fewer).keys()
    assert thinned(path, whole, len(train)) == whole


def test_too_few_reviews_are_refused(tmp_path):
    write(tmp_path, [Review("train", 0, 1, None, "good"), Review("train", 0, 0, None, "bad")], "test")
    with pytest.raises(DataError, match="too few reviews"):
        assign(tmp_path / "reviews.jsonl")


def test_a_fold_of_one_label_alone_is_refused(tmp_path):
    reviews = [
        Review("train", number, label, None, f"{number} {label}")
        for number in range(25)
        for label in (0, 1)
        if label or number % 5 != 3
    ]
    write(tmp_path, reviews, "test")
    with pytest.raises(DataError, match="too few reviews"):
        assign(tmp_path / "reviews.jsonl")
