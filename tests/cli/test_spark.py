"""The engine Spark of `verdict prepare` and `verdict predict`: options, refusals, and a run in local mode."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.model.predict import command as predict_command
from cli.model.prepare import command as prepare_command
from training.spark.session import SparkUnavailableError

REVIEWS = ("A superb film.", "This is not an excellent film.")


@pytest.mark.parametrize("option", [("--master", "local[2]"), ("--conf", "a=b"), ("--shards", "2")])
def test_options_of_spark_need_the_engine(option: tuple[str, str]) -> None:
    refused = CliRunner().invoke(prepare_command, option)
    assert refused.exit_code == 2
    assert f"{option[0]} applies to Apache Spark only: add --engine spark." in refused.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--into", "x", "--processes", "2"), "--processes does not apply to --engine spark."),
        (("--into", "x", "--on", "batch"), "--on does not apply to --engine spark."),
        ((), "Give --into a folder to write."),
        (("--into", "x", "--conf", "nothing"), "--conf nothing has no value."),
    ],
)
def test_options_that_spark_has_not_are_refused(arguments: tuple[str, ...], reason: str) -> None:
    refused = CliRunner().invoke(predict_command, ["s3://bucket/new", "--engine", "spark", *arguments])
    assert (refused.exit_code, reason in refused.output) == (2, True), refused.output


def test_paths_of_this_machine_are_checked(tmp_path: Path) -> None:
    missing = CliRunner().invoke(predict_command, [str(tmp_path / "absent.csv")])
    assert (missing.exit_code, "does not exist" in missing.output) == (2, True)
    (tmp_path / "new.txt").write_text("good\n")
    folder = CliRunner().invoke(predict_command, [str(tmp_path / "new.txt"), "--into", str(tmp_path)])
    assert (folder.exit_code, "is a directory" in folder.output) == (2, True)


def test_a_machine_without_java_names_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    refused = CliRunner().invoke(prepare_command, ["--engine", "spark", "--data", str(tmp_path)])
    assert isinstance(refused.exception, SparkUnavailableError)
    assert "Install" in refused.exception.detail


@pytest.mark.needs_spark
def test_a_file_is_judged_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({"review": text}) + "\n" for text in REVIEWS))
    arguments = [str(tmp_path / "new.jsonl"), "--engine", "spark", "--master", "local[2]", "--into"]
    ran = CliRunner().invoke(predict_command, [*arguments, str(tmp_path / "judged")])
    assert ran.exit_code == 0, ran.exception
    assert "2 rows in" in ran.output
    parts = sorted((tmp_path / "judged").iterdir())
    rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert [row["verdict"] for row in rows] == ["positive", "negative"]
