from datetime import UTC, datetime
from pathlib import Path

from operations.aws.command import Aws
from operations.aws.journal import Journal, journal_of

NOON, TOLD = datetime(2026, 11, 25, 12, tzinfo=UTC), "2026-11-25T12:00:00Z"


def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "deep" / "journal.jsonl", clock=lambda: NOON)


def test_what_is_written_is_read_oldest_first(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.write("created", "endpoint", "verdict-dev-1", stage="dev")
    written.write("deleted", "endpoint", "verdict-dev-1")
    assert list(written.read()) == [
        {
            "time": "2026-11-25T12:00:00Z",
            "action": "created",
            "kind": "endpoint",
            "name": "verdict-dev-1",
            "stage": "dev",
        },
        {"time": "2026-11-25T12:00:00Z", "action": "deleted", "kind": "endpoint", "name": "verdict-dev-1"},
    ]


def test_a_record_that_was_never_begun_is_empty(tmp_path: Path) -> None:
    assert list(journal(tmp_path).read()) == []


def test_a_line_that_a_crash_cut_off_spoils_only_itself(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.write("created", "model", "first")
    with written.path.open("ab") as file:
        file.write('{"time": "2026-11-25T12:00:00Z", "action": "créat'.encode()[:-3])
    assert [line["name"] for line in written.read()] == ["first"]
    written.write("created", "model", "second")
    assert [line["name"] for line in written.read()] == ["first", "second"]


def test_every_account_and_region_has_a_record_of_its_own(aws: Aws, tmp_path: Path) -> None:
    assert journal_of(aws.account, tmp_path).path == tmp_path / "123456789012-us-east-1.jsonl"
