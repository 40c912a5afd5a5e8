"""Exports of feedback: CSV for spreadsheets and programs, JSON lines."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from operations.feedback import export
from operations.feedback.export import FileTypeError
from operations.feedback.table import FeedbackRecord
from training.project import ROOT

CASES = json.loads((ROOT / "tests" / "cases" / "spreadsheet_cells.json").read_text(encoding="utf-8"))


def record(number: int, review: str = "A fine\nfilm, “really”.") -> FeedbackRecord:
    time = f"2026-11-27T11:30:{number:02}Z"
    return FeedbackRecord(str(number), time, review, "not sure", 0.5, "abc-def", "trees", "mixed", "feedback")


@pytest.mark.parametrize("name", ["feedback.csv", "feedback.jsonl"])
def test_an_export_is_ordered_by_time_and_complete(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    assert export.write([record(2), record(1)], path) == 2
    text = path.read_bytes().decode()
    if path.suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        found = [{**row, "score": float(row["score"])} for row in rows]
    else:
        found = [json.loads(line) for line in text.splitlines()]
    assert found == [asdict(record(1)), asdict(record(2))]


def test_the_header_has_the_documented_names() -> None:
    header = "id,time,review,verdict,score,release,variant,correction,source\r\n"
    assert export.csv_of([]) == header


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["text"]))
def test_a_cell_is_written_as_the_page_does(case: dict[str, str]) -> None:
    assert export.cell_of(case["text"]) == case["cell"]


def test_another_type_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileTypeError, match=r"neither \.csv nor \.jsonl"):
        export.write([], tmp_path / "feedback.xlsx")
