"""Fixtures for jobs on the simulated SageMaker."""

from collections.abc import Callable

import pytest

from operations.aws import role
from operations.aws.command import Aws


@pytest.fixture
def with_role(aws: Aws, quickly: Callable[[float], None]) -> None:
    """An account with the execution role, and short pauses."""
    role.create(aws)
    aws.pause = quickly


def training_jobs(aws: Aws) -> dict[str, str]:
    """Return the status of all training jobs by name, in the order of their creation."""
    pages = aws.account.client("sagemaker").get_paginator("list_training_jobs")
    listed = pages.paginate(SortBy="CreationTime", SortOrder="Ascending")
    return {job["TrainingJobName"]: job["TrainingJobStatus"] for page in listed for job in page["TrainingJobSummaries"]}


@pytest.fixture
def started(aws: Aws) -> Callable[[], list[str]]:
    """The names of a run's training jobs that this test has started, in order."""
    before = training_jobs(aws).keys()
    return lambda: [name for name in training_jobs(aws) if name not in before and "-train-" in name]
