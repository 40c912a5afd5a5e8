import json
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.main import verdict
from cli.model.drift import since_option
from training.data.collect import collect_generated


def run(folder: Path, *arguments: object) -> Result:
    command = ["drift", *map(str, arguments), "--report", str(folder / "drift.html")]
    return CliRunner().invoke(verdict, command, prog_name="verdict")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, and two files of new reviews."""
    folder = tmp_path_factory.mktemp("drift")
    collect_generated(60, folder / "data")
    collect_generated(60, folder / "drifted", drifted=True)
    lines = (folder / "data" / "reviews.jsonl").read_text().splitlines()
    dated = [
        json.loads(line) | {"time": f"2026-0{1 + place // 2 % 2}-15T00:00:00Z"} for place, line in enumerate(lines)
    ]
    (folder / "same.jsonl").write_text("".join(json.dumps(row) + "\n" for row in dated))
    (folder / "few.csv").write_text("review\n" + "".join(f"Review {number} is fine.\n" for number in range(20)))
    return folder


def test_drift_ends_with_status_3_and_a_report(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, folder / "drifted" / "reviews.jsonl", "--data", folder / "data", "--json")
    assert result.exit_code == 3, result.output
    assert "Drift: a classifier separates old from new" in result.stderr
    document = json.loads(result.stdout)
    assert document["is_drift"]
    assert document["words"]["come"][0]["new"] > document["words"]["come"][0]["old"]
    assert "The reviews have drifted" in (tmp_path / "drift.html").read_text(encoding="utf-8")


def test_the_same_reviews_end_with_status_0(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, folder / "same.jsonl", "--old", folder / "data" / "reviews.jsonl")
    assert result.exit_code == 0, result.output
    assert "No drift: no mark is passed, but 100% of the new reviews are also old ones." in result.output


def test_since_keeps_the_later_reviews(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, folder / "same.jsonl", "--data", folder / "data", "--since", "2026-02-01", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["new"]["total"] == 120


def test_few_reviews_are_too_few_to_say(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, folder / "few.csv", "--data", folder / "data")
    assert result.exit_code == 1
    assert "too few to say whether there is drift" in str(result.exception)
    assert not (tmp_path / "drift.html").exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("nothing.csv",), "There is no file nothing.csv"),
        ((".",), "is a folder"),
        ((__file__,), "is not a .csv"),
        (("few.csv", "--since", "2026-01-01"), "has no time"),
        (("same.jsonl", "--data", "nothing"), "Run `verdict data`"),
    ],
)
def test_a_failed_read_is_an_error_and_never_no_drift(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = run(tmp_path, *arguments)
    assert result.exit_code == 1
    assert fault in str(result.exception)


def test_a_report_does_not_replace_a_file_of_reviews(folder: Path) -> None:
    result = CliRunner().invoke(verdict, ["drift", str(folder / "few.csv"), "--report", str(folder / "few.csv")])
    assert result.exit_code == 2
    assert "ends in .html" in result.output


def test_since_takes_dates_and_durations() -> None:
    context, parameter = click.Context(verdict), click.Option(["--since"])
    assert since_option(context, parameter, None) is None
    assert since_option(context, parameter, "2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    since = since_option(context, parameter, "30d")
    assert since
    assert 29 < (datetime.now(UTC) - since).days + 1 < 32
    with pytest.raises(click.BadParameter, match="neither a date"):
        since_option(context, parameter, "lately")
