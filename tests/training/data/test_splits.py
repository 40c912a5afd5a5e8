import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from training.data.collect import collect
from training.data.reviews import DataError, Review, read, write
from training.data.splits import FOLDS, TENTHS, TEST, Splits, assign, fold_of


def official_like(count: int = 50) -> Iterator[Review]:
    for split in ("train", "test"):
        for number in range(count):
            for label in (0, 1):
                yield Review(split, number, label, None, f"{split} {number} {label}")


def places_of(folder: Path) -> dict[str, int | None]:
    path = folder / "reviews.jsonl"
    splits = assign(path)
    return {review.id: splits.place_of(review) for review in read(path)}


def test_a_fold_is_every_fifth_of_25_blocks(tmp_path: Path) -> None:
    write(tmp_path, official_like(50), "test")
    for fold in range(FOLDS):
        numbers = sorted(int(id_.split("/")[2]) for id_, place in places_of(tmp_path).items() if place == fold)
        assert numbers == sorted([10 * k + 2 * fold + i for k in range(5) for i in (0, 1)] * 2)


def test_blocks_of_the_official_set_have_500_reviews() -> None:
    splits = Splits(12_500)
    for number in range(12_500):
        assert splits.place_of(Review("train", number, 1, None, "")) == number // 500 % 5


def test_a_tenth_is_half_of_the_blocks_of_a_fold() -> None:
    splits = Splits(12_500)
    numbers: dict[int, set[int]] = defaultdict(set)
    for number in range(12_500):
        review = Review("train", number, 1, None, "")
        assert fold_of(splits.tenth_of(review)) == number // 500 % FOLDS
        numbers[splits.tenth_of(review)].add(number // 500)
    assert sorted(numbers) == list(range(TENTHS))
    assert [sorted(numbers[tenth]) for tenth in (0, 1)] == [[0, 10, 20], [5, 15]]


def test_all_reviews_of_a_movie_are_in_one_tenth() -> None:
    splits = Splits(12_500)
    tenths = [
        {
            splits.tenth_of(Review("train", number, label, None, "", f"tt{movie:07}"))
            for number in (movie, movie + 500)
            for label in (0, 1)
        }
        for movie in range(1_000)
    ]
    assert all(len(found) == 1 for found in tenths)
    sizes = Counter(tenth for found in tenths for tenth in found)
    assert sorted(sizes) == list(range(TENTHS))
    assert max(sizes.values()) < 1.5 * min(sizes.values())


def test_a_fold_is_both_of_its_tenths() -> None:
    splits = Splits(12_500)
    for movie in (*(f"tt{number}" for number in range(50)), None):
        review = Review("train", 777, 1, None, "", movie)
        place = splits.place_of(review)
        assert place is not None
        assert fold_of(splits.tenth_of(review)) == place


def test_a_movie_does_not_move_a_review_out_of_the_official_test() -> None:
    assert Splits(12_500).place_of(Review("test", 3, 1, None, "", "tt0406816")) == TEST


@pytest.mark.needs_archive
def test_no_movie_of_the_official_archive_is_in_two_tenths(archive: Path, tmp_path: Path) -> None:
    manifest = collect(archive, tmp_path, official=True)
    splits = assign(tmp_path / "reviews.jsonl")
    tenths_by_movie: dict[str | None, set[int]] = defaultdict(set)
    sizes: Counter[tuple[int, int]] = Counter()
    for review in read(tmp_path / "reviews.jsonl"):
        if splits.is_training(review):
            tenths_by_movie[review.movie].add(splits.tenth_of(review))
            sizes[splits.tenth_of(review), review.label] += 1
    assert len(tenths_by_movie) <= manifest.movies["train"] == 3_456
    assert None not in tenths_by_movie
    assert all(len(tenths) == 1 for tenths in tenths_by_movie.values())
    assert 900 < min(sizes.values()) <= max(sizes.values()) < 1_500


def test_the_official_test_is_not_used_for_training(tmp_path: Path) -> None:
    write(tmp_path, official_like(), "test")
    assert {place for id_, place in places_of(tmp_path).items() if id_.startswith("test")} == {TEST}
    path = tmp_path / "reviews.jsonl"
    splits = assign(path)
    assert {review.split for review in read(path) if splits.is_training(review)} == {"train"}


def test_no_text_is_in_two_places(tmp_path: Path) -> None:
    reviews = [
        *official_like(),
        Review("train", 50, 1, None, "Train  7 1"),  # the text of a review of another fold, apart from case and space
        Review("train", 51, 0, None, "test 3 0"),
    ]
    write(tmp_path, reviews, "test")
    found = places_of(tmp_path)
    assert (found["train/pos/7"], found["train/pos/50"]) == (None, 4)
    assert found["train/neg/51"] is None
    assert found["test/neg/3"] == TEST


def test_a_dropped_review_is_not_used_for_training(tmp_path: Path) -> None:
    write(tmp_path, [*official_like(), Review("train", 50, 0, None, "test 3 0")], "test")
    path = tmp_path / "reviews.jsonl"
    splits = assign(path)
    assert "train/neg/50" not in {review.id for review in read(path) if splits.is_training(review)}


def test_repeated_texts_remain_in_only_one_place(tmp_path: Path) -> None:
    """Repeat texts at random, some of them many times."""
    generator = random.Random(7)
    reviews = [
        Review(
            split,
            number,
            label,
            None,
            f"text {generator.randrange(150)}" if generator.random() < 0.5 else f"{split} {n}",
        )
        for n, (split, number, label) in enumerate(product(("train", "test"), range(100), (0, 1)))
    ]
    write(tmp_path, reviews, "test")
    place_of = places_of(tmp_path)
    places: dict[str, set[int | None]] = defaultdict(set)
    for review in reviews:
        places[review.text].add(place_of[review.id])
    assert any(None in found for found in places.values())
    assert all(len(found - {None}) == 1 for found in places.values())


def test_a_repeated_text_is_dropped_from_earlier_folds_only(tmp_path: Path) -> None:
    def places_of_same_text(*numbers: int) -> list[int | None]:
        reviews = [
            Review("train", number, label, None, "same" if number in numbers and label else f"{number} {label}")
            for number in range(25)
            for label in (0, 1)
        ]
        write(tmp_path, reviews, "test")
        return [places_of(tmp_path)[f"train/pos/{number}"] for number in numbers]

    assert places_of_same_text(0, 3, 6, 8, 24) == [None, None, None, None, 4]
    assert places_of_same_text(0, 3, 6) == [None, 3, None]
    assert places_of_same_text(1, 6, 21) == [1, 1, 1]


def test_a_limit_uses_a_fixed_part_of_train_and_changes_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, official_like(), "test")
    path = tmp_path / "reviews.jsonl"
    whole = assign(path)
    few, fewer = assign(path, 30), assign(path, 20)

    def kept(splits: Splits) -> dict[str, int | None]:
        return {review.id: splits.place_of(review) for review in read(path) if splits.place_of(review) is not None}

    train = {review.id for review in read(path) if whole.is_training(review)}
    assert kept(fewer).items() < kept(few).items() < kept(whole).items()
    assert (len(kept(fewer).keys() & train), len(kept(few).keys() & train)) == (20, 30)
    assert kept(whole).keys() - train < kept(fewer).keys()
    assert assign(path, len(train)) == whole


def test_too_few_reviews_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [Review("train", 0, 1, None, "good"), Review("train", 0, 0, None, "bad")], "test")
    with pytest.raises(DataError, match="too few reviews"):
        assign(tmp_path / "reviews.jsonl")


def test_a_fold_with_only_one_label_is_refused(tmp_path: Path) -> None:
    reviews = [
        Review("train", number, label, None, f"{number} {label}")
        for number in range(25)
        for label in (0, 1)
        if label or number % 5 != 3
    ]
    write(tmp_path, reviews, "test")
    with pytest.raises(DataError, match="too few reviews"):
        assign(tmp_path / "reviews.jsonl")
