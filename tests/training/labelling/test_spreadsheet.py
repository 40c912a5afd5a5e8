import csv
import json
from pathlib import Path

import pytest

from tests.hand_labels import NOW, label_of, review_rows
from training.data.hand_labels import HandLabel
from training.data.review_rows import ReviewRow
from training.data.reviews import DataError
from training.labelling.spreadsheet import labels_to_append, read_spreadsheet, write_spreadsheet
from training.project import ROOT

CELLS = json.loads((ROOT / "tests" / "cases" / "spreadsheet_cells.json").read_text(encoding="utf-8"))


def imported(path: Path, rows: list[ReviewRow], labels: list[HandLabel]) -> list[tuple[str, str, str]]:
    new = labels_to_append(path.name, read_spreadsheet(path), rows, labels, "bob", NOW, "random")
    return [(label.id, label.label, label.note) for label in new]


def test_an_exported_file_is_imported_without_changes(tmp_path: Path) -> None:
    rows, labels = review_rows(3), [label_of("1", "mixed", note="=odd")]
    path = tmp_path / "labels.csv"
    write_spreadsheet(path, rows, labels)
    assert imported(path, rows, labels) == []
    assert imported(path, rows, []) == [("1", "mixed", "=odd")]


def test_only_new_and_changed_labels_are_imported(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("note;label;id\n;Positive;0\n;;1\nad;X;2\n;mixed;3\n")
    assert imported(path, review_rows(4), [label_of("3", "mixed"), label_of("0", "negative")]) == [
        ("0", "positive", ""),
        ("2", "not a review", "ad"),
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("id,review\n1,Good.\n", "has no column label"),
        ("id,label\n1,positive\n2,great\n", "line 3: unknown label 'great'"),
        ("id,label\n1,positive\n1,negative\n", "line 3: the id '1' has a label twice"),
        ("id,label\n1,positive\n77,negative\n", "line 3: the id '77' is not in the source"),
    ],
)
def test_a_spreadsheet_that_does_not_fit_is_refused(tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=fault):
        imported(path, review_rows(5), [])


def test_cells_are_never_evaluated_by_a_spreadsheet(tmp_path: Path) -> None:
    """The same cases as those of the page's downloads."""
    path = tmp_path / "labels.csv"
    texts = [case["text"] for case in CELLS if case["text"]]
    write_spreadsheet(path, [ReviewRow(str(place), text) for place, text in enumerate(texts)], [])
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row["review"] for row in csv.DictReader(file)]
    expected = [next(csv.reader([case["cell"]], strict=True)) for case in CELLS if case["text"].strip("\r\n")]
    assert [cell for cell in cells if "\n" not in cell and "\r" not in cell] == [
        cell for (cell,) in expected if "\n" not in cell and "\r" not in cell
    ]
