import json
from pathlib import Path

import pytest

from training.data.review_rows import ReviewRow, read_review_rows, text_id, without_repetitions
from training.data.reviews import DataError
from training.project import ROOT

FILES = ROOT / "tests" / "cases" / "files"


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_an_export_of_feedback_keeps_its_facts(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "feedback.csv",
        "id,time,review,verdict,score,release,variant,correction,source\n"
        "7,2026-01-02T03:04:05Z,A fine film.,positive,0.93,abc-1,blue,negative,page\n"
        "8,2026-01-03T03:04:05Z,Dull.,negative,0.1,abc-1,blue,,page\n",
    )
    first, second = read_review_rows(path)
    assert (first.id, first.text, first.time) == ("7", "A fine film.", "2026-01-02T03:04:05Z")
    assert (first.verdict, first.score, first.release, first.variant) == ("positive", 0.93, "abc-1", "blue")
    assert first.is_disputed
    assert not second.is_disputed
    assert second.correction is None


def test_without_an_id_the_texts_hash_is_the_id(tmp_path: Path) -> None:
    path = write(tmp_path, "reviews.jsonl", json.dumps({"review": "Good."}) + "\n")
    assert [row.id for row in read_review_rows(path)] == [text_id("Good.")]


@pytest.mark.parametrize("name", ["lines.txt", "letterboxd.csv", "yelp.json", "utf-16.csv", "imdb-kaggle.csv"])
def test_files_with_any_usual_format_are_read(name: str) -> None:
    assert all(row.text.strip() for row in read_review_rows(FILES / name))


def test_empty_and_repeated_reviews_are_left_out_and_reported(tmp_path: Path) -> None:
    path = write(tmp_path, "reviews.csv", 'review,stars\nGood.,5\n"",1\nGood.,5\n')
    notes: list[str] = []
    rows = read_review_rows(path, note=notes.append)
    assert [row.text for row in rows] == ["Good.", "Good."]
    assert [row.text for row in without_repetitions("reviews.csv", rows, notes.append)] == ["Good."]
    assert notes == [
        "reviews.csv: rows left out because they have no review: 1.",
        "reviews.csv: repeated reviews left out: 1.",
    ]


def test_a_file_without_a_review_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "reviews.csv", "review,place\n,Rome\n")
    with pytest.raises(DataError, match="--review-column"):
        read_review_rows(path)
    with pytest.raises(DataError, match="its column of reviews is empty"):
        read_review_rows(path, "review")


def test_two_texts_with_one_id_are_refused() -> None:
    rows = [ReviewRow("1", "Good."), ReviewRow("1", "Bad.")]
    with pytest.raises(DataError, match="two different reviews have the id '1'"):
        without_repetitions("reviews.csv", rows)


def test_a_column_that_is_not_obvious_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path, "reviews.csv", "opinion,place\nGood.,Rome\n")
    with pytest.raises(DataError, match="--review-column"):
        read_review_rows(path)
    assert read_review_rows(path, "opinion")[0].text == "Good."


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"is not a \.csv"):
        read_review_rows(path)


@pytest.mark.parametrize("score", ["9", "-1", "nan", "good"])
def test_a_score_that_is_no_probability_counts_as_missing(tmp_path: Path, score: str) -> None:
    path = write(tmp_path, "reviews.csv", f"review,score\nGood.,{score}\n")
    assert read_review_rows(path)[0].score is None
