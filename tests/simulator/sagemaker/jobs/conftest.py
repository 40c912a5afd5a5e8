"""An account with channels in S3, for tests of jobs."""

from pathlib import Path

import pytest

from tests.simulator.sagemaker.account import Account
from tests.simulator.sagemaker.job_account import JobAccount


@pytest.fixture
def jobs(account: Account, small_channels: Path, small_hyperparameters: dict[str, str]) -> JobAccount:
    """The module's account, with the channels of a fold."""
    jobs = JobAccount(account, small_hyperparameters)
    jobs.upload(small_channels)
    return jobs
