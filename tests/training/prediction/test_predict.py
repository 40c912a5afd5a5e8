"""Verdicts on files of unlabelled reviews: formats, bad rows, resuming, and agreement with the app."""

import csv
import gzip
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
from training.data import content
from training.data.reviews import DataError
from training.evaluation.packaged_model import packaged_model
from training.evaluation.predictions import Predict, predictor
from training.locks import InUseError
from training.prediction import predict as predict_module
from training.prediction import review_files
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


def compressed(path: Path) -> Path:
    """Compress a file beside it."""
    target = path.with_name(f"{path.name}.gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("new.csv", b"id,review\n1,good\n2\n3,bad\n"),
        ("new.tsv", b"id\treview\n1\tgood\n2\tbad\n"),
        ("new.jsonl", b'{"text": "good"}\n{"text": "cut\n{"text": "bad"}\n'),
        ("new.txt", "good\nn\u00e9 bad\n".encode("cp1252")),
    ],
)
def test_a_compressed_file_gives_the_rows_of_the_file(judge: Judge, tmp_path: Path, name: str, text: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(text)
    assert judged(judge, compressed(path)) == judged(judge, path)


def test_texts_of_a_folder_may_be_compressed(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good\nfilm")
    compressed(tmp_path / "a.txt").rename(tmp_path / "b.txt.gz")
    (tmp_path / "c.txt.gz").write_bytes((tmp_path / "b.txt.gz").read_bytes()[:-9])
    rows = judged_rows(judge, tmp_path)
    assert [(row["file"], row["review"]) for row in rows] == [
        ("a.txt", "good\nfilm"),
        ("b.txt.gz", "good\nfilm"),
        ("c.txt.gz", ""),
    ]
    assert rows[0]["score"] == rows[1]["score"]
    assert "is cut short" in rows[2]["error"]


@pytest.mark.parametrize("name", ["new.jsonl", "new.jsonl.gz", "new.txt", "new.txt.gz"])
def test_a_line_that_is_too_long_costs_one_row(
    judge: Judge, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MAX_LINE_CHARACTERS", 1_000)
    path = tmp_path / name.removesuffix(".gz")
    lines = ["good", "x" * 200_000, "bad"]
    path.write_text("".join(f"{json.dumps({'text': line}) if '.jsonl' in name else line}\n" for line in lines))
    output = judged(judge, compressed(path) if name.endswith(".gz") else path)
    read = [json.loads(line) for line in output.splitlines()] if ".jsonl" in name else None
    rows = read or list(csv.DictReader(io.StringIO(output)))
    assert [row["verdict"] or None for row in rows] == ["positive", None, "negative"]
    assert rows[1]["error"] == "Line 2 has more than 1,000 characters."


def test_one_review_per_file_is_of_limited_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_files, "MAX_LINE_CHARACTERS", 1_000)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"a\n" * 600))
    (row,) = open_reviews(tmp_path / "a.txt.gz", one_per_file=True).rows(lambda _: None)
    assert row.error == "a.txt.gz cannot be read: the review has more than 1,000 characters."


def test_progress_is_in_bytes_of_the_compressed_file(tmp_path: Path) -> None:
    for name, line in (("a.csv", "film {} is good\n"), ("a.jsonl", '{{"text": "film {} is good"}}\n')):
        path = tmp_path / name
        path.write_text(("text\n" if name == "a.csv" else "") + "".join(map(line.format, range(50_000))))
        file = compressed(path)
        positions: list[int] = []
        opened = open_reviews(file)
        assert sum(1 for _ in opened.rows(positions.append)) == 50_000
        assert positions == sorted(positions)
        assert positions[0] < opened.size / 2
        assert positions[-1] == opened.size == file.stat().st_size


def test_parquet_is_not_compressed_again(judge: Judge, tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "new.csv")
    with pytest.raises(DataError, match=r"Parquet compresses its own columns\. Leave \.gz out"):
        choose_format([open_reviews(path)], tmp_path / "out.parquet.gz", judge.explain, "")
    with pytest.raises(DataError, match=r"gunzip a\.parquet\.gz"):
        open_reviews(tmp_path / "a.parquet.gz")


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


@pytest.mark.parametrize("name", ["new.csv", "new.csv.gz"])
def test_several_processes_give_the_same_rows(judge: Judge, tmp_path: Path, name: str) -> None:
    path = write_csv(tmp_path / "new.csv", [("review",), *((f"film {number} is good",) for number in range(2_100))])
    if name.endswith(".gz"):
        path = compressed(path)
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


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_a_stopped_command_resumes_without_losing_or_repeating_a_row(judge: Judge, tmp_path: Path, name: str) -> None:
    path, into = write_numbered(tmp_path / "new.csv"), tmp_path / name
    with pytest.raises(InterruptedRunError):
        judge_into(judge, path, into, stop_after=500)
    assert not into.exists()
    with (tmp_path / f".{name}.part").open("ab") as part:
        part.write(b"half a ro")  # as of a killed process
    assert judge_into(judge, path, into) == 500
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new.csv", name]
    if into.suffix != ".parquet":
        written = into.read_bytes()
        text = gzip.decompress(written) if into.suffix == ".gz" else written
        assert text.decode() == judged(judge, path)
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


def test_long_reviews_are_judged_in_smaller_chunks(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict_module, "CHUNK_CHARACTERS", 20)
    rows = [Row((text,), text) for text in ("good", "a dull film, far too long", "bad", "fine", "not at all good")]
    opened = open_reviews(Path(__file__), one_per_file=True)
    stream = type(opened)(opened.path, ("review",), 1, lambda _position: iter(rows))
    chunks: list[int] = []
    predict([stream], judge, lambda judged: chunks.append(len(judged)), processes=1)
    assert chunks == [2, 3]


def test_remote_scores_join_their_rows(judge: Judge, explaining: Judge) -> None:
    rows = [Row((text,), text) for text in REVIEWS]
    chunk = explaining.encode(rows)
    scores = predictor(judge.model or b"", judge.release.facts.columns)(chunk.model_rows).tolist()
    assert list(verdicts(chunk, iter(scores), judge.release)) == explaining.judge(rows)
