import pytest

from operations.aws.errors import AwsError
from operations.jobs.job_log import JobLog, history_of
from operations.jobs.sagemaker_training import whole_history

ROUND = "[{}]#011train-error:0.{}#011validation-error:0.{}"


def test_a_log_tells_the_figures_of_every_round():
    lines = [
        "[2026-01-01:00:00:00:INFO] Single node training.",
        ROUND.format(0, 5, 6),
        "[1]\ttrain-error:0.4\tvalidation-error:0.5",
    ]
    assert history_of(lines) == {"train": {"error": [0.5, 0.4]}, "validation": {"error": [0.6, 0.5]}}
    assert history_of(["nothing"]) == {}


@pytest.mark.parametrize("numbers", [(0, 1), (2, 3)])
def test_rounds_after_an_interruption_go_on_where_the_checkpoint_was(numbers):
    """Whether they are counted from 0 again, or on."""
    before = [ROUND.format(number, number, number) for number in range(3)]
    after = [ROUND.format(number, 7 + place, 7 + place) for place, number in enumerate(numbers)]
    history = history_of([*before, "[...:INFO] Resuming from iteration 2", *after])
    assert history["validation"]["error"] == [0.0, 0.1, 0.7, 0.8]


def test_rounds_of_a_job_that_began_anew_count_once():
    lines = [ROUND.format(number, 1, 1) for number in range(3)] + [ROUND.format(0, 2, 2)]
    assert history_of(lines)["train"]["error"] == [0.2]


def test_a_log_that_lacks_rounds_is_no_history(aws):
    waits = []
    with pytest.raises(AwsError, match="does not tell of all its 3 rounds"):
        whole_history(JobLog(aws.account.client("logs"), "nobody"), 3, "error", waits.append)
    assert waits
