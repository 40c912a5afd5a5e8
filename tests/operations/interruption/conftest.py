"""The files that interrupted commands read and write."""

from pathlib import Path

import pytest

from operations.rollout.rollback import PackageFolders
from tests.operations.interruption.commands import Files
from training.model.run_folder import Run
from training.release import release


@pytest.fixture
def files(evaluated_run: Run, small_channels: Path, small_data: Path, tmp_path: Path) -> Files:
    """Channels, a packaged release, and a folder for runs."""
    package = PackageFolders(tmp_path / "release", tmp_path / "model")
    release(evaluated_run.folder, small_data, package.release_folder, package.model_folder)
    return Files(small_channels, package, tmp_path / "runs")
