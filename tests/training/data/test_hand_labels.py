import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hand_labels import label_of
from training.data.hand_labels import open_labels, read_labels
from training.data.reviews import DataError
from training.project import ROOT

HOLD_THE_FILE = """
import sys
from pathlib import Path
from training.data.hand_labels import open_labels
with open_labels(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    labels = [
        replace(label_of("1", "positive"), review="Très\nbien", score=0.25, verdict="negative", correction="positive"),
        label_of("2", "not a review", note="an advert"),
    ]
    with open_labels(path) as file:
        for label in labels:
            file.append(label)
    assert read_labels(path) == labels


def test_the_last_line_of_an_id_wins(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with open_labels(path) as file:
        file.append(label_of("1", "positive"))
        file.append(label_of("2", "mixed"))
        file.append(label_of("1", "negative"))
    assert [(label.id, label.label) for label in read_labels(path)] == [("1", "negative"), ("2", "mixed")]


def test_an_undone_label_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with open_labels(path) as file:
        file.append(label_of("1", "positive"))
        file.undo(label_of("1", "positive"))
    assert read_labels(path) == []
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("kept", range(1, len(label_of("2", "negative").dumps()) - 1, 7))
def test_a_half_written_last_line_is_reported_and_replaced(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(label_of("1", "positive").dumps() + label_of("2", "negative").dumps()[:kept])
    notes: list[str] = []
    assert [label.id for label in read_labels(path, notes.append)] == ["1"]
    assert notes == ["labels.jsonl: line 2 was not completely written, and is left out."]
    with open_labels(path) as file:
        file.append(label_of("3", "mixed"))
    assert [label.id for label in read_labels(path)] == ["1", "3"]


def test_a_half_written_first_line_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(label_of("1", "positive").dumps()[:30])
    with open_labels(path) as file:
        assert file.labels == []
        file.append(label_of("2", "mixed"))
    assert [label.id for label in read_labels(path)] == ["2"]


def test_a_complete_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(label_of("1", "positive").dumps().rstrip("\n"))
    with open_labels(path) as file:
        file.append(label_of("2", "mixed"))
    assert [label.id for label in read_labels(path)] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("review,label\nGood.,positive\n", "line 1 is not JSON"),
        ("review", "line 1 is not JSON"),
        ('{"id": "1", "review": "Good."}', "line 1 is not a label: it needs"),
        ("[1]\n", "line 1 is not a label"),
        ("\x89PNG\n\n", "line 1 is not JSON"),
        (label_of("1", "positive").dumps().replace("positive", "good"), "line 1: unknown label 'good'"),
        (label_of("1", "positive").dumps().replace('"note"', '"score": "high", "note"'), "line 1: the score 'high' is"),
        (label_of("1", "positive").dumps() + "half\n" + label_of("2", "mixed").dumps(), "line 2 is not JSON"),
    ],
)
def test_a_file_of_something_else_is_refused_and_not_changed(tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=fault), open_labels(path):
        pass
    assert path.read_text() == content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl locks")
def test_two_people_cannot_write_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    command = [sys.executable, "-c", HOLD_THE_FILE, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        with pytest.raises(DataError, match="is in use"), open_labels(path):
            pass
        other.communicate("")
    with open_labels(path) as file:
        assert file.labels == []
