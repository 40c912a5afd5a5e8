"""Fixtures for the tests of evaluation."""

from pathlib import Path

import pytest

from training.model.run_folder import Run


@pytest.fixture
def named_run(small_run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run, where a command in the current folder expects it."""
    monkeypatch.chdir(small_run.folder.parent)
    (small_run.folder.parent / "runs").mkdir()
    return small_run.folder.rename(small_run.folder.parent / "runs" / "default")
