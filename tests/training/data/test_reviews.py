from pathlib import Path

import pytest

from training.data.reviews import DataError, Review, chunks_of, read, read_manifest, write


def some_reviews(count: int = 50) -> list[Review]:
    return [Review("train", number, number % 2, None, f"Review {number} " + "é" * number) for number in range(count)]


def test_written_reviews_are_read_back(tmp_path: Path) -> None:
    write(tmp_path, reversed(some_reviews()), "test")
    assert list(read(tmp_path / "reviews.jsonl")) == some_reviews()


@pytest.mark.parametrize("size_bytes", [1, 100, 1000, 10**9])
def test_chunks_cover_every_review_once(tmp_path: Path, size_bytes: int) -> None:
    write(tmp_path, some_reviews(), "test")
    path = tmp_path / "reviews.jsonl"
    parts = chunks_of(path, size_bytes)
    assert [review for part in parts for review in read(path, *part)] == some_reviews()


def test_a_chunk_has_at_least_one_review_and_at_most_all(tmp_path: Path) -> None:
    write(tmp_path, some_reviews(), "test")
    assert [len(chunks_of(tmp_path / "reviews.jsonl", size)) for size in (1, 10**9)] == [50, 1]


def test_a_duplicate_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 duplicate review ids; the first is train/pos/7"):
        write(tmp_path, [Review("train", 7, 1, None, "a"), Review("train", 7, 1, None, "b")], "test")


def test_changed_reviews_are_refused(tmp_path: Path) -> None:
    write(tmp_path, some_reviews(), "test")
    with (tmp_path / "reviews.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match="was changed"):
        read_manifest(tmp_path)


def test_the_error_for_a_missing_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="verdict data"):
        read_manifest(tmp_path)
