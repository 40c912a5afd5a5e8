"""A training job when the simulator itself stops."""

import threading
from pathlib import Path

import pytest

from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from tests.simulator.sagemaker.account import Account
from tests.simulator.sagemaker.job_account import JobAccount, with_channels


@pytest.fixture
def jobs(account: Account, small_channels: Path, small_hyperparameters: dict[str, str]) -> JobAccount:
    return with_channels(account, small_channels, small_hyperparameters)


def test_the_simulator_stops_in_the_middle_of_a_round_of_jobs(jobs: JobAccount) -> None:
    names = [jobs.begin({"num_round": "100000", "early_stopping_rounds": "100000"}) for _ in range(2)]
    for name in names:
        jobs.wait_for_line(name, "train-error")
    world = jobs.account.aws.world()
    world.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("work-")]
    for name in names:
        job = world.find(TRAINING_JOB, name)
        assert job.facts["SecondaryStatus"] == "Training"
        assert "ModelArtifacts" not in job.facts
