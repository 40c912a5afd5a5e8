"""A real `kill -9` of a command's process: what it leaves is named, resumed and deleted, as the walks assume."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from operations.aws.command import Aws
from operations.aws.waiting import wait_for
from operations.inventory import inventory
from operations.inventory.resources import Kind
from operations.teardown.teardown import Scope, teardown
from simulator.aws import SimulatedAws
from tests.operations.existing import create_endpoint
from tests.operations.interruption.commands import no_chalice
from training.project import ROOT

Run = Callable[[str, Callable[[], bool]], None]


@pytest.fixture
def kill_when(account: Aws, simulated: SimulatedAws, tmp_path: Path) -> Run:
    """Run a `verdict` command in a folder of its own, and kill its process when a condition is true."""
    (tmp_path / "model").symlink_to(ROOT / "model")
    environment = {**os.environ, **simulated.environment, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}

    def run(line: str, is_reached: Callable[[], bool]) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "cli.main", *line.split()],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                has_ended = lambda: is_reached() or process.poll() is not None  # noqa: E731
                wait_for(has_ended, bool, str, account.console, "", 120, account.pause)
            finally:
                process.kill()
        assert process.returncode == -signal.SIGKILL, "the command ended before it was killed"

    return run


def listed(aws: Aws, stage: str, *kinds: Kind) -> list[str]:
    """Return the names of a stage's resources of some kinds."""
    return [resource.name for resource in inventory.take(aws.account, stage).of(*kinds)]


def delete_all(aws: Aws, stage: str) -> None:
    """Tear a stage down, and check that nothing of it is left that is billed."""
    teardown(aws, Scope(stage, optional=("logs",)), yes=True, deletions=no_chalice())
    assert [resource for resource in inventory.take(aws.account, stage).billed if resource.stage] == []


def test_a_killed_deployment_is_named_and_deleted(account: Aws, simulated: SimulatedAws, kill_when: Run) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "stuck")
    endpoints = account.account.client("sagemaker").list_endpoints
    kill_when("deploy --stage killed --yes", lambda: bool(endpoints(NameContains="killed")["Endpoints"]))
    (endpoint,) = endpoints(NameContains="killed")["Endpoints"]
    assert listed(account, "killed", Kind.ENDPOINT) == [endpoint["EndpointName"]]
    assert len(listed(account, "killed", Kind.CONFIGURATION, Kind.MODEL)) == 2
    delete_all(account, "killed")


def test_a_killed_training_is_named_and_stopped(
    account: Aws, simulated: SimulatedAws, small_channels: Path, kill_when: Run
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "stuck")
    jobs = account.account.client("sagemaker").list_training_jobs
    line = f"train --on sagemaker --stage lost --channels {small_channels} --yes"
    kill_when(line, lambda: len(jobs(NameContains="lost")["TrainingJobSummaries"]) >= 2)
    running = {job["TrainingJobName"] for job in jobs(NameContains="lost")["TrainingJobSummaries"]}
    assert set(listed(account, "lost", Kind.TRAINING_JOB)) == running
    delete_all(account, "lost")


def test_a_killed_teardown_is_completed_by_the_same_command(
    account: Aws, simulated: SimulatedAws, kill_when: Run
) -> None:
    create_endpoint(account, "half")
    endpoints = account.account.client("sagemaker").list_endpoints
    simulated.fault_injector.inject("DeleteEndpointConfig", "throttled")
    kill_when("teardown --stage half --no-app --yes", lambda: not endpoints(NameContains="half")["Endpoints"])
    simulated.fault_injector.clear()
    assert len(listed(account, "half", Kind.CONFIGURATION, Kind.MODEL)) == 2
    delete_all(account, "half")
