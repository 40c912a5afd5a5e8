"""A rehearsal's commands are real, see nothing of this machine's AWS, and are held to what they must say."""

from pathlib import Path

import pytest

from rehearsal.workspace import RehearsalError, Workspace


@pytest.fixture(scope="module")
def shown() -> list[str]:
    return []


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, shown: list[str]) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("rehearsal"), {"AWS_DEFAULT_REGION": "nowhere-1"}, shown.append)


def test_a_command_runs_in_the_copy_and_is_shown(work: Workspace, shown: list[str]) -> None:
    said = work.training("data --generated 40", says=["test, positive"])
    assert said.status == 0
    assert (work.folder / "data" / "reviews.jsonl").exists()
    assert "\n$ verdict data --generated 40" in shown


def test_what_the_app_ships_is_there_and_local_leftovers_are_not(work: Workspace) -> None:
    assert (work.folder / "vendor" / "static" / "index.html").exists()
    assert (work.folder / "chalicelib" / "release" / "release.json").exists()
    assert not list(work.folder.rglob("__pycache__/test_*"))


def test_another_status_or_a_missing_sentence_ends_the_rehearsal(work: Workspace) -> None:
    with pytest.raises(RehearsalError, match="status 2, not 0"):
        work.training("nonsense")
    with pytest.raises(RehearsalError, match="did not say 'a poem'"):
        work.training("data --generated 40", says=["a poem"])


def test_a_command_without_an_aws_says_so_in_one_line(tmp_path: Path) -> None:
    lonely = Workspace(
        tmp_path,
        {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        lambda text: None,
    )
    said = lonely.training("status", status=1)
    assert said.text.startswith("Error: There are no AWS credentials. Run `aws configure`")
