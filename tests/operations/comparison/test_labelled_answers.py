import json
from pathlib import Path

import pytest

from operations.comparison.labelled_answers import (
    Answer,
    FeedbackFileError,
    has_label,
    labels_of,
    outcomes_of,
    read_answers,
    read_reviews,
)

TIME = "2026-11-27T10:00:00Z"
ROW = {
    "id": "1",
    "time": TIME,
    "review": 'A "great"\nfilm',
    "verdict": "positive",
    "score": 0.9,
    "release": "r",
    "variant": "linear",
    "correction": "negative",
    "source": "feedback",
}
HEADER = ",".join(ROW)


def answer(variant: str, score: float, correction: str) -> Answer:
    return Answer(TIME, "review", score, variant, correction, "feedback")


def test_an_answer_is_right_if_its_score_is_on_the_side_of_its_label() -> None:
    answers = [answer("a", 0.6, "positive"), answer("a", 0.4, "positive"), answer("a", 0.1, "negative")]
    assert outcomes_of([*answers, answer("b", 0.9, "positive")], "a").share == pytest.approx(2 / 3)


def test_mixed_and_missing_corrections_are_no_labels() -> None:
    answers = [answer("a", 0.6, correction) for correction in ("mixed", "", "positive")]
    assert [has_label(each) for each in answers] == [False, False, True]
    assert labels_of(answers) == {"positive": 1, "negative": 0}


def test_csv_and_json_lines_are_read_alike(tmp_path: Path) -> None:
    csv, lines = tmp_path / "export.csv", tmp_path / "export.jsonl"
    quoted = ['"' + str(value).replace('"', '""') + '"' for value in ROW.values()]
    csv.write_text(f"{HEADER}\r\n{','.join(quoted)}\r\n", newline="")
    lines.write_text(json.dumps(ROW) + "\n\n")
    assert (
        read_answers(csv) == read_answers(lines) == [Answer(TIME, ROW["review"], 0.9, "linear", "negative", "feedback")]
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "time,review\nx,y\n", "a.csv, line 2: there is no column"),
        ("a.jsonl", "\n{", "a.jsonl, line 2: not JSON"),
        ("a.jsonl", "[]", "not a JSON object"),
        ("a.jsonl", json.dumps({**ROW, "score": "high"}), "the score 'high' is not a number"),
        ("a.jsonl", json.dumps({**ROW, "score": 2}), "the score 2 is not a number"),
        ("a.csv", b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(name: str, content: str | bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FeedbackFileError) as caught:
        read_answers(path)
    assert reason in caught.value.detail


def test_a_sample_is_a_column_or_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("superb\n\ndull\n")
    (tmp_path / "a.csv").write_text("id,review\n1,superb\n2,\n3,dull\n")
    assert read_reviews(tmp_path / "a.txt") == read_reviews(tmp_path / "a.csv") == ["superb", "dull"]
