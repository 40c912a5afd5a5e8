import pytest

from training.data.reviews import DataError, Review, read, read_manifest, stretches, write


def some_reviews(count=50):
    return [Review("train", number, number % 2, None, f"Review {number} " + "é" * number) for number in range(count)]


def test_reviews_come_back_as_they_were_written(tmp_path):
    write(tmp_path, reversed(some_reviews()), "test")
    assert list(read(tmp_path / "reviews.jsonl")) == some_reviews()


@pytest.mark.parametrize("size_bytes", [1, 100, 1000, 10**9])
def test_stretches_cover_every_review_once(tmp_path, size_bytes):
    write(tmp_path, some_reviews(), "test")
    path = tmp_path / "reviews.jsonl"
    parts = stretches(path, size_bytes)
    assert [review for part in parts for review in read(path, *part)] == some_reviews()


def test_a_stretch_is_at_least_one_review_and_at_most_all(tmp_path):
    write(tmp_path, some_reviews(), "test")
    assert [len(stretches(tmp_path / "reviews.jsonl", size)) for size in (1, 10**9)] == [50, 1]


def test_an_id_that_comes_twice_is_refused(tmp_path):
    with pytest.raises(DataError, match="1 reviews twice; the first is train/pos/7"):
        write(tmp_path, [Review("train", 7, 1, None, "a"), Review("train", 7, 1, None, "b")], "test")


def test_reviews_that_were_changed_are_refused(tmp_path):
    write(tmp_path, some_reviews(), "test")
    with (tmp_path / "reviews.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match="not the file its manifest describes"):
        read_manifest(tmp_path)


def test_a_folder_without_reviews_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="verdict data"):
        read_manifest(tmp_path)
