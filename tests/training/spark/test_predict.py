"""Verdicts on Spark in local mode: the same rows, columns and scores as on one machine."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from chalicelib import release
from training.data.reviews import DataError
from training.evaluation.packaged_model import packaged_model
from training.prediction.judge import Judge
from training.prediction.predict import Summary, predict
from training.prediction.result_file import choose_format
from training.prediction.review_files import open_reviews
from training.spark.predict import predict_on_spark
from training.spark.session import reason

pytestmark = pytest.mark.needs_spark
REVIEWS = (
    "This is not an excellent film.",
    "A superb cast,\nand a dull ending.",
    "",
    'A "joy" to watch, é',
    "zxcv qwrt",
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    packaged = release.load()
    return Judge(packaged, packaged_model(packaged), explain=False)


def here(judge: Judge, *paths: Path) -> tuple[str, Summary]:
    """Judge files on this machine; returns the text of the output, and the counts."""
    opened = [open_reviews(path) for path in paths]
    chosen = choose_format(opened, None, judge.explain, "")
    output = io.BytesIO()
    output.write(chosen.header)
    summary = predict(opened, judge, lambda judged: output.write(chosen.encode(judged)))
    return output.getvalue().decode(), summary


def on_spark(spark: Any, judge: Judge, into: Path, *paths: Path) -> tuple[list[str], Summary]:
    """Judge files on Spark; returns the text of each part, and the counts."""
    summary = predict_on_spark(spark, [str(path) for path in paths], str(into), judge)
    return [part.read_text(encoding="utf-8") for part in sorted(into.iterdir())], summary


def table_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the rows of tables, without their headers."""
    return [row for text in texts for row in list(csv.reader(io.StringIO(text, newline="")))[1:]]


def write_json_lines(path: Path, reviews: Sequence[object]) -> Path:
    lines = [json.dumps({"id": number, "review": review}) for number, review in enumerate(reviews)]
    path.write_text("\n".join([*lines, "not JSON"]) + "\n", encoding="utf-8")
    return path


def write_table(path: Path, reviews: Sequence[str], rows: int = 1) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["id", "review"], *([n, text] for _ in range(rows) for n, text in enumerate(reviews))]
        )
    return path


def test_lines_of_json_are_judged_in_parts(spark: Any, judge: Judge, tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "new.jsonl", [*REVIEWS * 20, 7])
    expected, counts = here(judge, path)
    parts, summary = on_spark(spark, judge, tmp_path / "judged", path)
    assert len(parts) > 1
    assert "".join(parts) == expected
    assert (summary, summary.errors) == (counts, 22)
    assert "Line 102 is not JSON" in parts[-1]


def test_tables_are_judged_file_by_file(spark: Any, judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    paths = [write_table(tmp_path / "new" / f"{name}.csv", REVIEWS[start:]) for start, name in enumerate("ab")]
    expected, counts = here(judge, *paths)
    parts, summary = on_spark(spark, judge, tmp_path / "judged", tmp_path / "new")
    assert table_of(parts) == table_of([expected])
    assert {part.splitlines()[0] for part in parts} == {"id,review,verdict,score,known_words,warnings,error"}
    assert summary == counts


def test_tables_with_other_columns_are_refused(spark: Any, judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    write_table(tmp_path / "new" / "a.csv", REVIEWS)
    (tmp_path / "new" / "b.csv").write_text("id,text,stars\n1,good,4\n2,bad,1\n")
    from py4j.protocol import Py4JJavaError

    with pytest.raises(Py4JJavaError) as raised:
        on_spark(spark, judge, tmp_path / "judged", tmp_path / "new")
    assert reason(raised.value) == "b.csv has other columns than a.csv. Judge them one by one."


def test_parquet_is_judged(spark: Any, judge: Judge, tmp_path: Path) -> None:
    table = pyarrow.table({"stars": [1, None, 3, 4, 5, 6], "review": [*REVIEWS, None]})
    parquet.write_table(table, tmp_path / "new.parquet")
    expected, counts = here(judge, tmp_path / "new.parquet")
    parts, summary = on_spark(spark, judge, tmp_path / "judged", tmp_path / "new.parquet")
    assert table_of(parts) == table_of([expected])
    assert summary == counts


def test_a_folder_of_texts_has_a_review_in_each(spark: Any, judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for number, review in enumerate(REVIEWS):
        (tmp_path / "new" / f"{number}.txt").write_text(review, encoding="utf-8")
    expected, counts = here(judge, tmp_path / "new")
    parts, summary = on_spark(spark, judge, tmp_path / "judged", tmp_path / "new")
    assert table_of(parts) == table_of([expected])
    assert summary == counts


def test_explanations_are_those_of_one_machine(spark: Any, judge: Judge, tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "new.jsonl", REVIEWS)
    explaining = Judge(judge.release, judge.model, explain=True)
    parts, _ = on_spark(spark, explaining, tmp_path / "judged", path)
    assert "".join(parts) == here(explaining, path)[0]


def test_an_existing_result_is_never_overwritten(spark: Any, judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "judged").mkdir()
    path = write_json_lines(tmp_path / "new.jsonl", REVIEWS)
    with pytest.raises(DataError, match="Give another --into"):
        on_spark(spark, judge, tmp_path / "judged", path)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "has no files of reviews"),
        (("a.csv", "b.jsonl"), "has files of several formats"),
        (("a.pdf",), "should end in"),
    ],
)
def test_unusable_inputs_are_refused(
    spark: Any, judge: Judge, tmp_path: Path, names: Sequence[str], reason: str
) -> None:
    (tmp_path / "new").mkdir()
    for name in names:
        (tmp_path / "new" / name).write_text("x\n")
    with pytest.raises(DataError, match=reason):
        on_spark(spark, judge, tmp_path / "judged", tmp_path / "new")


def test_a_missing_input_is_refused(spark: Any, judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        on_spark(spark, judge, tmp_path / "judged", tmp_path / "absent")
