import hashlib
import json
from pathlib import Path

import pytest

from training.data.reviews import (
    DataError,
    Review,
    ShortText,
    UnlabelledReview,
    chunks_of,
    read,
    read_manifest,
    read_short_texts,
    read_unlabelled,
    write,
)


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


UNLABELLED = [UnlabelledReview(0, "tt0000001", "so"), UnlabelledReview(1, None, "and so on")]
SHORT_TEXTS = [
    ShortText("treebank", "test", 0, 0.95, True, "Great."),
    ShortText("treebank", "train", 0, 0.05, True, "Not good."),
    ShortText("treebank", "train", 0, 0.8, False, "good"),
]


def test_unlabelled_reviews_and_short_texts_are_read_back(tmp_path: Path) -> None:
    write(tmp_path, some_reviews(), "test", UNLABELLED, SHORT_TEXTS)
    path = tmp_path / "unlabelled.jsonl"
    assert list(read_unlabelled(path)) == UNLABELLED
    assert [each for part in chunks_of(path, 1) for each in read_unlabelled(path, *part)] == UNLABELLED
    assert list(read_short_texts(tmp_path / "short_texts.jsonl")) == SHORT_TEXTS


def test_the_manifest_counts_each_file(tmp_path: Path) -> None:
    reviews = [Review("train", 0, 1, 9, "fine", "tt1"), Review("train", 0, 0, 2, "bad", "tt1")]
    manifest = write(tmp_path, reviews, "test", UNLABELLED, SHORT_TEXTS)
    assert read_manifest(tmp_path) == manifest
    assert (manifest.movies, manifest.unlabelled) == ({"train": 1}, 2)
    assert manifest.short_texts == {
        "treebank": {"test": {"sentences": 1, "phrases": 0}, "train": {"sentences": 1, "phrases": 1}}
    }
    assert list(manifest.files) == ["reviews.jsonl", "unlabelled.jsonl", "short_texts.jsonl"]


def test_the_fingerprint_of_reviews_alone_is_that_of_their_file(tmp_path: Path) -> None:
    alone = write(tmp_path, some_reviews(), "test").fingerprint
    assert alone == hashlib.sha256((tmp_path / "reviews.jsonl").read_bytes()).hexdigest()
    assert b"movie" not in (tmp_path / "reviews.jsonl").read_bytes()
    fingerprints = [
        write(tmp_path, some_reviews(), "test", unlabelled, short_texts).fingerprint
        for unlabelled, short_texts in ((UNLABELLED, []), ([], SHORT_TEXTS), (UNLABELLED, SHORT_TEXTS))
    ]
    assert len({alone, *fingerprints}) == 4


def test_files_of_an_earlier_call_are_deleted(tmp_path: Path) -> None:
    write(tmp_path, some_reviews(), "test", UNLABELLED, SHORT_TEXTS)
    write(tmp_path, some_reviews(), "test")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.json", "reviews.jsonl"]


def test_a_manifest_without_the_newer_fields_is_read(tmp_path: Path) -> None:
    manifest = write(tmp_path, some_reviews(), "test")
    older = {"source", "fingerprint", "counts", "empty", "repeated", "shared"}
    values = json.loads((tmp_path / "data.json").read_text())
    (tmp_path / "data.json").write_text(json.dumps({name: values[name] for name in older}))
    assert read_manifest(tmp_path).fingerprint == manifest.fingerprint


@pytest.mark.parametrize("name", ["unlabelled.jsonl", "short_texts.jsonl"])
def test_a_changed_or_missing_optional_file_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, some_reviews(), "test", UNLABELLED, SHORT_TEXTS)
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=f"{name} was changed"):
        read_manifest(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match="no collected reviews"):
        read_manifest(tmp_path)


def test_a_text_that_is_also_a_review_or_held_out_is_left_out(tmp_path: Path) -> None:
    reviews = [*some_reviews(), Review("test", 0, 1, None, "Superb film"), Review("test", 0, 0, None, "Dull")]
    others = [*UNLABELLED, UnlabelledReview(2, None, "superb  film")]
    texts = [
        *SHORT_TEXTS,
        ShortText("mine.csv", "train", 0, 0.95, True, "superb film"),
        ShortText("mine.csv", "train", 1, 0.95, True, "GREAT."),
        ShortText("treebank", "test", 1, 0.05, True, "Dull"),  # only judges
    ]
    manifest = write(tmp_path, reviews, "test", others, texts)
    assert (manifest.unlabelled, manifest.overlapping, manifest.empty) == (2, 3, 0)
    assert [each.text for each in read_short_texts(tmp_path / "short_texts.jsonl")] == [
        "Great.",
        "Dull",
        "Not good.",
        "good",
    ]
