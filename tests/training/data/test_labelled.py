import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.model.data import command
from training.data.collect import collect
from training.data.columns import ColumnChoice
from training.data.labelled import KNOWN_NAMES, read_labelled
from training.data.reviews import DataError, Review
from training.project import ROOT

CASES = json.loads((ROOT / "tests" / "cases" / "files.json").read_text(encoding="utf-8"))
SCALES = json.loads((ROOT / "tests" / "cases" / "labels.json").read_text(encoding="utf-8"))
FILES = ROOT / "tests" / "cases" / "files"


def read(tmp_path: Path, name: str, content: str | bytes) -> list[tuple[int, str]]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(review.label, review.text) for review in read_labelled(path)]


def read_with_notes(path: Path, choice: ColumnChoice = KNOWN_NAMES) -> tuple[list[Review], list[str]]:
    notes: list[str] = []
    return list(read_labelled(path, choice=choice, note=notes.append)), notes


def cases(*keys: str, without: str = "") -> list[Any]:
    """Return the cases of the shared table that have these keys."""
    return [
        pytest.param(case, id=case["file"])
        for case in CASES
        if all(key in case for key in keys) and without not in case
    ]


@pytest.mark.parametrize("case", cases("labels"))
def test_rows_and_labels_are_read_as_in_the_table(case: dict[str, Any]) -> None:
    reviews, _ = read_with_notes(FILES / case["file"])
    expected = [(text, label) for (_, text), label in zip(case["rows"], case["labels"], strict=True)]
    found = [(re.sub(r"\r\n?", "\n", review.text), review.label) for review in reviews]
    assert found == [(text, label) for text, label in expected if label is not None]


@pytest.mark.parametrize("case", cases("picker", "choice"))
def test_a_column_that_is_not_obvious_is_never_guessed(case: dict[str, Any]) -> None:
    if case["picker"]:
        with pytest.raises(DataError, match=r"--(review|label)-column|two columns"):
            read_with_notes(FILES / case["file"])


@pytest.mark.parametrize("case", cases("refused"))
def test_a_file_without_reviews_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=f"{case['refused']}|is not a .csv"):
        read_with_notes(FILES / case["file"])


@pytest.mark.parametrize("case", cases("damaged"))
def test_a_damaged_row_is_reported_with_its_line(case: dict[str, Any]) -> None:
    line, _ = case["damaged"]
    try:
        _, notes = read_with_notes(FILES / case["file"])
    except DataError as error:
        notes = [str(error)]
    assert any(re.search(rf"\bline {line}\b", note, re.IGNORECASE) for note in notes), notes


def test_every_decision_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        "Rating,Review\n4.5,Good\n1,Bad\n3,Middling\n2.5,Middling\n,None\n5,Caf\xe9\n".encode("cp1252")
    )
    reviews, notes = read_with_notes(tmp_path / "a.csv")
    assert [(review.number, review.label, review.rating) for review in reviews] == [(0, 1, 9), (1, 0, 2), (5, 1, 10)]
    assert notes == [
        "a.csv: reviews from column Review, labels from column Rating (1 to 5 stars: up to 2 is negative, from 3.5 is "
        "positive).",
        "Rows left out: 2 with a middle label, 1 without a label.",
        "The file is not UTF-8, so it was read as Windows-1252.",
    ]


def test_the_columns_can_be_chosen_by_name_or_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,review,verdict\nx,good,1\ny,bad,0\n")
    for choice in (ColumnChoice("Review", "verdict"), ColumnChoice("2", "3")):
        reviews, _ = read_with_notes(tmp_path / "a.csv", choice)
        assert [review.text for review in reviews] == ["good", "bad"]
    (tmp_path / "b.csv").write_text("It was good.,1\nIt was bad.,0\n")
    reviews, _ = read_with_notes(tmp_path / "b.csv", ColumnChoice("1", "2"))
    assert [review.text for review in reviews] == ["It was good.", "It was bad."]


@pytest.mark.parametrize("case", SCALES, ids=lambda case: f"{case['column']}-{'-'.join(case['values'])}")
def test_the_scale_is_decided_over_all_values(tmp_path: Path, case: dict[str, Any]) -> None:
    content = f"review,{case['column']}\n" + "".join(f"some text,{value}\n" for value in case["values"])
    if case["labels"] is None:
        with pytest.raises(DataError, match=r"fit no known scale|unknown label"):
            read(tmp_path, "a.csv", content)
        return
    found = [label for label, _ in read(tmp_path, "a.csv", content)]
    assert found == [label for label in case["labels"] if label is not None]


def test_jsonl_labels_may_be_strings_numbers_or_booleans(tmp_path: Path) -> None:
    words = [{"text": "a", "label": label} for label in ("pos", "Positive", True, False, "neg", " negative ")]
    numbers = [{"text": "a", "label": label} for label in (1, "1", 1.0, 0, "0.0")]
    for rows, labels in ((words, [1, 1, 1, 0, 0, 0]), (numbers, [1, 1, 1, 0, 0])):
        content = "\n\n".join(map(json.dumps, rows))
        assert [label for label, _ in read(tmp_path, "a.jsonl", content)] == labels


def test_rows_are_train_reviews_numbered_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,label\ngood,1\nbad,0\n")
    assert [review.id for review in read_labelled(tmp_path / "a.csv")] == ["train/pos/0", "train/neg/1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "review,label\ngood,1\nfine,yes\n", "a.csv, line 3: unknown label 'yes'"),
        ("a.csv", "review,label\ngood,pos\nfine,yes\n", "a.csv, line 3: unknown label 'yes'"),
        ("a.csv", "review,verdict\ngood,5\n", "no column is named like the labels. Choose one with --label-column"),
        ("a.csv", "review,verdict\ngood,5\n", "The columns are review, verdict"),
        ("a.csv", "review,label,sentiment\ngood,1,1\n", "several columns may hold the labels"),
        ("a.csv", "review,label,Label \ngood,1,1\n", "two columns named label"),
        ("a.csv", 'review,label\n"good\nfilm",1\nbad\n', "line 4: the number of cells is 1 instead of 2"),
        ("a.csv", "review,label\ngood,1,2\n", "line 2: the number of cells is 3 instead of 2"),
        ("a.csv", 'review,label\ngood,1\n"good,1\nbad,0\n', "line 3 is not CSV"),
        ("a.csv", "review,label\ngood,\n", "there are no labels"),
        ("a.jsonl", '{"text": "good", "label": 1}\n{"text": ', "line 2 is not JSON"),
        ("a.jsonl", '{"text": "good", "text": "bad", "label": 1}', "line 1 is not JSON: two values have one name"),
        ("a.jsonl", '{"text": "\\ud83d good", "label": 1}', "line 1: the review has half of a surrogate pair"),
        ("a.jsonl", "[1]", "not a JSON object"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": 3, "label": 1}', "line 2: the review is not a string"),
        ("a.jsonl", '{"text": "good", "label": null}', "there are no labels"),
        ("a.jsonl", '{"text": "good", "label": [1]}', "line 1: unknown label"),
        ("a.jsonl", "[" * 100_000, "line 1 is not JSON"),
        ("a.pdf", "good", "not a .csv"),
    ],
)
def test_an_invalid_file_is_refused_with_the_place(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        read(tmp_path, name, content)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(DataError, match="is empty"):
        collect(tmp_path / "a.csv", tmp_path / "data")


def test_the_same_file_gives_the_same_fingerprint(tmp_path: Path) -> None:
    manifests = [collect(FILES / "imdb-kaggle.csv", tmp_path / name) for name in ("one", "two")]
    assert manifests[0] == manifests[1]


def test_the_command_takes_the_columns_and_prints_the_decisions(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Opinion;Stars\nA good film;5\nA bad film;1\n")
    labelled = ["--labelled", str(tmp_path / "a.csv"), "--into", str(tmp_path / "data")]
    refused = CliRunner().invoke(command, labelled)
    assert isinstance(refused.exception, DataError)
    assert "Choose one with --review-column. The columns are Opinion, Stars" in str(refused.exception)
    result = CliRunner().invoke(command, [*labelled, "--review-column", "opinion"])
    assert result.exit_code == 0, result.output
    assert "reviews from column Opinion, labels from column Stars (1 to 5 stars" in " ".join(result.output.split())
    lost = CliRunner().invoke(command, ["--review-column", "opinion", "--generated", "40"])
    assert "needs --labelled" in lost.output
