"""Verdicts on files of unlabelled reviews: formats, bad rows, resuming, and agreement with the app."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from chalicelib import release
from chalicelib.sentiment import Scores
from chalicelib.sentiment import predict as predict_request
from training.data.reviews import DataError
from training.evaluation.packaged_model import packaged_model
from training.evaluation.predictions import Predict, predictor
from training.locks import InUseError
from training.prediction.judge import ADDED, Judge, JudgedRow, verdicts
from training.prediction.predict import predict, predict_text
from training.prediction.result_file import ResultFile, TextFormat, choose_format
from training.prediction.review_files import Row, open_reviews

REVIEWS = ("This is not an excellent film.", "A superb cast,\nand a dull ending.", "zxcv qwrt plok")


@pytest.fixture(scope="module")
def judge() -> Judge:
    packaged = release.load()
    return Judge(packaged, packaged_model(packaged), explain=False)


@pytest.fixture(scope="module")
def explaining(judge: Judge) -> Judge:
    return Judge(judge.release, judge.model, explain=True)


class LocalScorer:
    """The packaged model as the app's scorer."""

    def __init__(self, predict: Predict) -> None:
        self._predict = predict

    def scores(self, rows: Sequence[str], _remaining: object) -> Scores:
        return Scores(self._predict(rows).tolist(), "")


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def judged(judge: Judge, *files: Path, column: str | None = None, into: Path | None = None) -> str:
    """Judge files; returns the text of the output."""
    opened = [open_reviews(path, column) for path in files]
    chosen = choose_format(opened, into, judge.explain, "")
    output = io.BytesIO(chosen.header)
    output.seek(0, io.SEEK_END)
    predict(opened, judge, lambda rows: output.writelines([chosen.encode(rows)]), processes=1)
    return output.getvalue().decode()


def judged_rows(judge: Judge, *files: Path, column: str | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(judged(judge, *files, column=column))))


def test_a_row_keeps_its_columns_and_gets_the_verdict_of_the_app(explaining: Judge, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "new.csv", [("id", "review", "shop"), *((str(i), text, "x,y") for i, text in enumerate(REVIEWS))]
    )
    rows = judged_rows(explaining, path)
    assert [(row["id"], row["review"], row["shop"]) for row in rows] == [
        (str(i), text, "x,y") for i, text in enumerate(REVIEWS)
    ]
    scorer = LocalScorer(predictor(explaining.model or b"", explaining.release.facts.columns))
    response = predict_request(REVIEWS, explaining.release, lambda: scorer, lambda: 60.0, explain=True)
    for row, verdict in zip(rows, response.outcomes, strict=True):
        assert row["verdict"] == verdict.label  # type: ignore[union-attr]
        assert float(row["score"]) == verdict.score  # type: ignore[union-attr]
        assert row["warnings"] == "; ".join(warning.code for warning in verdict.warnings)  # type: ignore[union-attr]
        assert len(json.loads(row["sentences"])) == len(verdict.explanation.sentences)  # type: ignore[union-attr]


def test_one_bad_row_costs_one_row(judge: Judge, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "new.csv", [("id", "review"), ("1", "good"), ("2",), ("3", ""), ("4", "a", "b"), ("5", "bad")]
    )
    rows = judged_rows(judge, path)
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [bool(row["error"]) for row in rows] == [False, True, True, True, False]
    assert [row["verdict"] for row in rows] == ["positive", "", "", "", "negative"]
    assert "Line 3 has 1 cells instead of 2" in rows[1]["error"]


def test_a_bad_line_of_json_costs_one_row(judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    path.write_text('{"text": "good", "n": [1]}\n{"text": "cut\n\n[1]\n{"text": 7}\n{"text": "half \\ud800 bad"}\n')
    rows = [json.loads(line) for line in judged(judge, path).splitlines()]
    assert rows[0] == {"text": "good", "n": [1], **predict_text("good", judge).added(False)}
    assert [bool(row["error"]) for row in rows] == [False, True, True, True, False]
    assert "Line 2 is not JSON" in rows[1]["error"]
    assert rows[4]["text"] == "half \ud800 bad"


def test_text_files_are_read_by_line_or_as_one_review_each(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good\nbad\n")
    assert [row["verdict"] for row in judged_rows(judge, tmp_path / "a.txt")] == ["positive", "negative"]
    (tmp_path / "b.txt").write_bytes("Sch\xf6n, and bad".encode("cp1252"))
    rows = judged_rows(judge, tmp_path)
    assert [(row["file"], row["review"]) for row in rows] == [("a.txt", "good\nbad\n"), ("b.txt", "Schön, and bad")]


def test_a_parquet_file_keeps_its_columns(judge: Judge, tmp_path: Path) -> None:
    table = pyarrow.table({"stars": [5, 1], "review": ["good", None]})
    parquet.write_table(table, tmp_path / "new.parquet")
    rows = judged_rows(judge, tmp_path / "new.parquet")
    assert [(row["stars"], row["verdict"], row["error"]) for row in rows] == [
        ("5", "positive", ""),
        ("1", "", "The row has no text."),
    ]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="not a Parquet file"):
        open_reviews(tmp_path / "bad.parquet")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\nx,y\n", "Choose one with --review-column"),
        ("review,Review\nx,y\n", "two columns named review"),
        ("review\n", "no rows below"),
        ("", "is empty"),
        ("review,score\ngood,1\n", "already has a column score"),
    ],
)
def test_a_file_that_can_be_read_in_two_ways_is_refused(
    judge: Judge, tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "new.csv").write_text(content)
    with pytest.raises(DataError, match=reason):
        judged(judge, tmp_path / "new.csv")


def test_a_column_is_chosen_by_name_or_number(judge: Judge, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "new.csv", [("a", "b"), ("bad", "good")])
    assert [judged_rows(judge, path, column=column)[0]["verdict"] for column in ("a", "B", "1", "2")] == [
        "negative",
        "positive",
        "negative",
        "positive",
    ]


def test_several_processes_give_the_same_rows(judge: Judge, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "new.csv", [("review",), *((f"film {number} is good",) for number in range(2_100))])
    opened = open_reviews(path)
    alone: list[JudgedRow] = []
    together: list[JudgedRow] = []
    ticks: list[tuple[int, int, str]] = []
    predict([opened], judge, alone.extend, processes=1)
    predict([opened], judge, together.extend, tick=lambda *tick: ticks.append(tick), processes=2)
    assert together == alone
    assert ticks[-1][0] == ticks[-1][1] == path.stat().st_size
    assert ticks[-1][2].startswith("2,100 rows, ")


class InterruptedRunError(Exception):
    """Stands for Ctrl-C."""


def judge_into(judge: Judge, path: Path, into: Path, stop_after: int = 10_000) -> int:
    """Judge a file into another one, and stop after some rows; returns the rows that an earlier call has left."""
    opened = [open_reviews(path)]
    with ResultFile(into, {"of": "test"}, choose_format(opened, into, judge.explain, "")) as output:
        begun_with = output.rows

        def write(rows: Sequence[JudgedRow]) -> None:
            output.write(rows)
            if output.rows >= stop_after:
                raise InterruptedRunError

        predict(opened, judge, write, output.rows, processes=1)
    return begun_with


def write_numbered(path: Path) -> Path:
    return write_csv(path, [("review",), *((f"film {number} is good",) for number in range(1_200))])


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_stopped_command_resumes_without_losing_or_repeating_a_row(judge: Judge, tmp_path: Path, name: str) -> None:
    path, into = write_numbered(tmp_path / "new.csv"), tmp_path / name
    with pytest.raises(InterruptedRunError):
        judge_into(judge, path, into, stop_after=500)
    assert not into.exists()
    with (tmp_path / f".{name}.part").open("ab") as part:
        part.write(b"half a ro")  # as of a killed process
    assert judge_into(judge, path, into) == 500
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new.csv", name]
    if into.suffix == ".csv":
        assert into.read_text() == judged(judge, path)
    else:
        expected = list(csv.DictReader(io.StringIO(judged(judge, path))))
        rows = parquet.read_table(into).to_pylist()
        assert [(row["review"], row["verdict"], str(row["score"])) for row in rows] == [
            (row["review"], row["verdict"], row["score"]) for row in expected
        ]


def test_parquet_keeps_the_types_of_columns_and_has_row_groups(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.prediction.parquet_format.GROUP_ROWS", 600)
    kinds = {
        "stars": pyarrow.array([5, 1, None] * 400, pyarrow.int8()),
        "when": pyarrow.array([datetime(2026, 11, 27, 11, 30, tzinfo=UTC)] * 1_200, pyarrow.timestamp("us", "UTC")),
        "tags": pyarrow.array([["a", "b"], [], None] * 400, pyarrow.list_(pyarrow.string())),
        "shop": pyarrow.array(["x", "y", "x"] * 400).dictionary_encode(),
        "review": pyarrow.array(["good", "bad", None] * 400),
    }
    table = pyarrow.table(kinds)
    parquet.write_table(table, tmp_path / "new.parquet")
    judge_into(judge, tmp_path / "new.parquet", tmp_path / "out.parquet")
    written = parquet.ParquetFile(tmp_path / "out.parquet")
    assert [written.metadata.row_group(n).num_rows for n in range(written.num_row_groups)] == [500, 500, 200]
    found = written.read()
    for name in ("stars", "when", "tags", "review"):
        assert found[name].equals(table[name]), name
    assert found["shop"].to_pylist() == table["shop"].to_pylist()
    added = [found[name].to_pylist()[:3] for name in ("verdict", "warnings", "error")]
    assert added == [["positive", "negative", None], [[], [], None], [None, None, "The row has no text."]]
    assert str(found.schema.field("score").type) == "double"


def test_nanoseconds_of_parquet_are_cut_off(judge: Judge, tmp_path: Path) -> None:
    when = pyarrow.array([1_795_779_000_000_000_001], pyarrow.timestamp("ns"))
    parquet.write_table(pyarrow.table({"when": when, "review": ["good"]}), tmp_path / "new.parquet")
    judge_into(judge, tmp_path / "new.parquet", tmp_path / "out.parquet")
    found = parquet.read_table(tmp_path / "out.parquet")["when"]
    assert found.cast(pyarrow.int64()).to_pylist() == [1_795_779_000_000_000_000]


def test_explanations_in_parquet_are_json(explaining: Judge, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "new.csv", [("id", "review"), ("1", REVIEWS[0]), ("2", "")])
    judge_into(explaining, path, tmp_path / "out.parquet")
    first, second = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert json.loads(first["sentences"]) == predict_text(REVIEWS[0], explaining).added(True)["sentences"]
    assert (second["id"], second["sentences"], second["verdict"]) == ("2", None, None)


def test_columns_that_parquet_cannot_hold_together_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "new.csv", [("a", "a", "review"), ("1", "2", "good")])
    (tmp_path / "new.jsonl").write_text('{"review": "good"}\n')
    parquet.write_table(pyarrow.table({"review": ["good"], "n": [1]}), tmp_path / "a.parquet")
    parquet.write_table(pyarrow.table({"review": ["good"], "n": ["1"]}), tmp_path / "b.parquet")
    for names, reason in {
        ("new.csv",): "two columns named a",
        ("new.jsonl",): "ends in .jsonl",
        ("a.parquet", "b.parquet"): "different types",
    }.items():
        with pytest.raises(DataError, match=reason):
            choose_format([open_reviews(tmp_path / name) for name in names], tmp_path / "out.parquet", False, "")


def test_parquet_without_pyarrow_is_refused_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [open_reviews(write_numbered(tmp_path / "new.csv"))]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match="pip install pyarrow"):
        choose_format(opened, tmp_path / "out.parquet", False, "")


LINES = TextFormat(",", ("review",), ADDED)


def test_another_request_does_not_resume(tmp_path: Path) -> None:
    stop_of({"release": "a"}, tmp_path / "out.csv")
    with pytest.raises(DataError, match="begun with other files"):
        ResultFile(tmp_path / "out.csv", {"release": "b"}, LINES)


def stop_of(request: dict[str, Any], into: Path) -> None:
    with pytest.raises(InterruptedRunError), ResultFile(into, request, LINES):
        raise InterruptedRunError


def test_a_finished_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(DataError, match="exists"):
        ResultFile(tmp_path / "out.csv", {}, LINES)
    assert (tmp_path / "out.csv").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl locks")
def test_two_commands_do_not_write_one_file(judge: Judge, tmp_path: Path) -> None:
    into, request = tmp_path / "out.csv", {"release": "a"}
    good, bad = predict_text("good", judge), predict_text("bad", judge)
    with ResultFile(into, request, LINES) as first:
        first.write([good])
        for other in (request, {"release": "b"}):
            with pytest.raises(InUseError, match=r"Another command is writing .*out\.csv"):
                ResultFile(into, other, LINES)
        first.write([bad])
    assert into.read_bytes() == LINES.header + LINES.encode([good, bad])
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_rows_are_read_as_they_are_judged(judge: Judge) -> None:
    read = 0

    def endless(_position: object) -> Iterator[Row]:
        nonlocal read
        while True:
            read += 1
            yield Row(("good",), "good")

    class EnoughError(Exception):
        pass

    def write(_rows: object) -> None:
        raise EnoughError

    opened = open_reviews(Path(__file__), one_per_file=True)
    stream = type(opened)(opened.path, ("review",), 1, endless)
    with pytest.raises(EnoughError):
        predict([stream], judge, write, processes=1)
    assert read < 2_500


def test_remote_scores_join_their_rows(judge: Judge, explaining: Judge) -> None:
    rows = [Row((text,), text) for text in REVIEWS]
    chunk = explaining.encode(rows)
    scores = predictor(judge.model or b"", judge.release.facts.columns)(chunk.model_rows).tolist()
    assert list(verdicts(chunk, iter(scores), judge.release)) == explaining.judge(rows)
