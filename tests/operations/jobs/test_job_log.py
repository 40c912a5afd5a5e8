"""Metrics read from the logs of training jobs."""

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.jobs.job_log import JobLog, history_of
from operations.jobs.sagemaker_training import whole_history

ROUND = "[{}]#011train-error:0.{}#011validation-error:0.{}"


def test_a_log_has_the_metrics_of_every_round() -> None:
    lines = [
        "[2026-01-01:00:00:00:INFO] Single node training.",
        ROUND.format(0, 5, 6),
        "[1]\ttrain-error:0.4\tvalidation-error:0.5",
    ]
    assert history_of(lines) == {"train": {"error": [0.5, 0.4]}, "validation": {"error": [0.6, 0.5]}}
    assert history_of(["nothing"]) == {}


@pytest.mark.parametrize("numbers", [(0, 1), (2, 3)])
def test_rounds_after_an_interruption_continue_from_the_checkpoint(numbers: tuple[int, int]) -> None:
    """They may be counted from 0 again, or from the checkpoint."""
    before = [ROUND.format(number, number, number) for number in range(3)]
    after = [ROUND.format(number, 7 + index, 7 + index) for index, number in enumerate(numbers)]
    history = history_of([*before, "[...:INFO] Resuming from iteration 2", *after])
    assert history["validation"]["error"] == [0.0, 0.1, 0.7, 0.8]


def test_rounds_of_a_restarted_job_count_once() -> None:
    lines = [ROUND.format(number, 1, 1) for number in range(3)] + [ROUND.format(0, 2, 2)]
    assert history_of(lines)["train"]["error"] == [0.2]


def test_an_incomplete_log_is_an_error(aws: Aws) -> None:
    pauses: list[float] = []
    with pytest.raises(AwsError) as caught:
        whole_history(JobLog(aws.account.client("logs"), "unknown"), 3, "error", pauses.append)
    assert caught.value.kind == "log-incomplete"
    assert pauses
