from collections.abc import Iterator
from pathlib import Path

from training.data.reviews import REVIEWS_NAME, Review, read
from training.parallel import map_items, map_reviews


def numbers_above(least: int, reviews: Iterator[Review]) -> list[int]:
    return [review.number for review in reviews if review.number > least]


def test_several_processes_return_the_results_of_one_in_order(small_data: Path) -> None:
    path = small_data / REVIEWS_NAME
    alone = [number for part in map_reviews(numbers_above, path, 10) for number in part]
    ticks: list[tuple[int, int]] = []
    quarter = path.stat().st_size // 4
    parts = list(map_reviews(numbers_above, path, 10, lambda done, total, _: ticks.append((done, total)), quarter))
    assert len(parts) >= 4
    assert [number for part in parts for number in part] == alone == numbers_above(10, read(path))
    assert ticks[-1] == (len(parts), len(parts))


def times(factor: int, number: int) -> int:
    return factor * number


def test_items_come_back_in_order_from_one_process_or_several() -> None:
    ticks: list[tuple[int, int]] = []
    several = map_items(times, range(20), 7, lambda done, total, _: ticks.append((done, total)))
    assert list(several) == list(map_items(times, range(20), 7, alone=True)) == list(range(0, 140, 7))
    assert ticks == [(done, 20) for done in range(21)]
