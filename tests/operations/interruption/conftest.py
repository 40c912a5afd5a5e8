"""The account and the files of interrupted commands."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.aws import role
from operations.aws.command import Aws
from operations.rollout.rollback import PackageFolders
from simulator.aws import SimulatedAws
from tests.operations.interruption.commands import Files
from tests.operations.interruption.strangers import delete_created, everything
from training.model.run_folder import Run
from training.release import release


@pytest.fixture
def files(evaluated_run: Run, small_channels: Path, small_data: Path, tmp_path: Path) -> Files:
    """Channels, a packaged release, and a folder for runs."""
    package = PackageFolders(tmp_path / "release", tmp_path / "model")
    release(evaluated_run.folder, small_data, package.release_folder, package.model_folder)
    return Files(small_channels, package, tmp_path / "runs")


@pytest.fixture
def account(aws: Aws, simulated: SimulatedAws, quickly: Callable[[float], None]) -> Iterator[Aws]:
    """An account with the role, without quotas; what is left in it is deleted afterwards."""
    role.create(aws)
    simulated.backend().limit = lambda _name: math.inf
    aws.pause = quickly
    before = everything(aws)
    yield aws
    delete_created(aws, before)
