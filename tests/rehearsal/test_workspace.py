"""The rehearsal's workspace: real commands, isolated from this machine's AWS, with checked results."""

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
    result = work.verdict("data --generated 40", expected=["test, positive"])
    assert result.status == 0
    assert (work.folder / "data" / "reviews.jsonl").exists()
    assert "\n$ verdict data --generated 40" in shown


def test_the_copy_has_the_apps_files_without_local_artifacts(work: Workspace) -> None:
    assert (work.folder / "vendor" / "static" / "index.html").exists()
    assert (work.folder / "chalicelib" / "release" / "release.json").exists()
    assert not list(work.folder.rglob("__pycache__/test_*"))


def test_another_status_or_a_missing_sentence_is_an_error(work: Workspace) -> None:
    with pytest.raises(RehearsalError, match="status 2, not 0"):
        work.verdict("nonsense")
    with pytest.raises(RehearsalError, match="did not print 'a poem'"):
        work.verdict("data --generated 40", expected=["a poem"])


def test_missing_credentials_are_reported(tmp_path: Path) -> None:
    workspace = Workspace(
        tmp_path,
        {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        lambda text: None,
    )
    result = workspace.verdict("status", status=1)
    assert result.text.startswith("Error: There are no AWS credentials. Run `aws configure`")
