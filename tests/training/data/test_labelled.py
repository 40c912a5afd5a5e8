import json
from pathlib import Path

import pytest

from training.data.collect import collect
from training.data.labelled import read_labelled
from training.data.reviews import DataError


def read(tmp_path: Path, name: str, content: str | bytes) -> list[tuple[int, str]]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(review.label, review.text) for review in read_labelled(path)]


def test_csv_with_quotes_and_line_breaks_is_read(tmp_path: Path) -> None:
    content = 'sentiment,review\r\npositive,"Good, ""very"" good\nindeed"\r\nneg,bad\r\n'
    assert read(tmp_path, "a.csv", content) == [(1, 'Good, "very" good\nindeed'), (0, "bad")]


def test_csv_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", b"\xef\xbb\xbfreview,label\ngood,1\n") == [(1, "good")]


def test_jsonl_labels_may_be_strings_numbers_or_booleans(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": label} for label in ("pos", "Positive", 1, "1", True, 0, False, "neg", " negative ")]
    labels = [label for label, _ in read(tmp_path, "a.jsonl", "\n\n".join(map(json.dumps, rows)))]
    assert labels == [1, 1, 1, 1, 1, 0, 0, 0, 0]


def test_rows_are_train_reviews_numbered_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,label\ngood,1\nbad,0\n")
    assert [review.id for review in read_labelled(tmp_path / "a.csv")] == ["train/pos/0", "train/neg/1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "review,label\ngood,5\n", "a.csv, line 2: unknown label '5'"),
        ("a.csv", "review,stars\ngood,5\n", "no column label or sentiment. The columns are review, stars"),
        ("a.csv", "review,label\ngood\n", "line 2: the number of fields"),
        ("a.csv", "review,label\ngood,1,2\n", "line 2: the number of fields"),
        ("a.csv", 'review,label\n"good,1\n', "is not CSV"),
        ("a.csv", b"review,label\ntr\xe8s bon,1\n", "not UTF-8"),
        ("a.csv", "review,label\ngood,1\n".encode("utf-16"), "not UTF-8"),
        ("a.jsonl", '{"text": "good", "label": 1}\n{"text": ', "line 2 is not JSON"),
        ("a.jsonl", '{"text": "\\ud83d good", "label": 1}', "line 1: the review has half of a surrogate pair"),
        ("a.jsonl", "[1]", "not a JSON object"),
        ("a.jsonl", '{"text": 3, "label": 1}', "the review is not a string"),
        ("a.jsonl", '{"text": "good", "label": null}', "unknown label 'None'"),
        ("a.jsonl", "[" * 100_000, "line 1 is not JSON"),
        ("a.txt", "good", "not a .csv"),
    ],
)
def test_an_invalid_file_is_refused_with_the_place(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message.replace(".", r"\.")):
        read(tmp_path, name, content)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(DataError, match="no negative reviews for train"):
        collect(tmp_path / "a.csv", tmp_path / "data")
