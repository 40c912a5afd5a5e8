"""Training on the simulated SageMaker: the same run as a local one, resumed, stopped, and after every failure."""

import io
import json
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from cli.model.train import command
from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.errors import AwsError, translate_errors
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.jobs import training_job
from operations.jobs.channel_upload import upload_channels
from operations.jobs.job_log import JobLog
from operations.jobs.job_progress import stop_others
from operations.jobs.run_jobs import JobOptions
from operations.jobs.sagemaker_training import JOBS_NAME, train_on_sagemaker
from operations.jobs.stopping import stop_run
from operations.jobs.training_job import JobResources, TrainingJob, TrainingTask
from simulator.aws import SimulatedAws
from tests.operations.candidates import interrupted, printed
from tests.operations.jobs.conftest import training_jobs
from training.evaluation.evaluate import evaluate
from training.features.channels import SPARK
from training.model.hyperparameters import with_settings
from training.model.run_folder import load_run
from training.model.train import train
from training.release import release

pytestmark = pytest.mark.usefixtures("with_role")
OPTIONS = JobOptions("ml.m5.xlarge", yes=True)
UNCONFIRMED = replace(OPTIONS, yes=False)
EARLY = ("num_round=30", "early_stopping_rounds=5", "max_leaves=7", "eta=0.1", "colsample_bytree=0.5")
SHORT = ("num_round=3", "early_stopping_rounds=", "max_leaves=3", "eta=0.3")
Started = Callable[[], list[str]]
_seeds = count(100)


@pytest.fixture
def short() -> dict[str, str]:
    """Hyperparameters of jobs that complete quickly, and that no other test uses."""
    return with_settings("default", (*SHORT, f"seed={next(_seeds)}"))


def test_a_run_trained_on_sagemaker_equals_a_local_run(aws: Aws, small_channels: Path, tmp_path: Path) -> None:
    """Folds that stopped before the best number of rounds are trained again, so held-out predictions are equal too."""
    stated = with_settings("default", EARLY)
    trained = train(small_channels, tmp_path / "local", stated)
    on_sagemaker = train_on_sagemaker(aws, small_channels, tmp_path / "remote", stated, OPTIONS)
    local, remote = (load_run(folder) for folder in (trained.folder, on_sagemaker.folder))
    assert remote.model == local.model
    assert remote.held_out == local.held_out
    assert remote.record.rounds == local.record.rounds
    assert remote.record.hyperparameters == local.record.hyperparameters
    for split, by_metric in local.record.history.items():
        for metric, values in by_metric.items():
            assert remote.record.history[split][metric] == pytest.approx(values, abs=1e-5)
    assert remote.record.versions["sagemaker image"] == "sagemaker-xgboost:3.0-5"
    jobs = json.loads((on_sagemaker.folder / JOBS_NAME).read_text())
    assert {"fold-0", "fold-4", "all"} < jobs.keys()
    assert any(label.endswith("-again") for label in jobs)
    assert on_sagemaker.record.seconds == sum(job["billable_seconds"] for job in jobs.values())


def test_a_run_trained_on_sagemaker_can_be_evaluated_and_released(
    aws: Aws, small_channels: Path, small_data: Path, short: dict[str, str], tmp_path: Path
) -> None:
    train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    evaluate(tmp_path / "run", small_data)
    release(tmp_path / "run", small_data, tmp_path / "release", tmp_path / "model")
    assert (tmp_path / "model/xgboost-model").read_bytes() == load_run(tmp_path / "run").model
    assert "sagemaker-xgboost:3.0-5" in (tmp_path / "run/report.html").read_text()


def test_a_repeated_command_reuses_completed_jobs_and_starts_missing_ones(
    aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    first = train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    jobs = started()
    assert len(jobs) == 6
    lost = next(name for name in jobs if "fold-3" in name)
    aws.account.client("s3").delete_object(
        Bucket=bucket.bucket_name(aws.account), Key=f"verdict/jobs/{lost}/output/model.tar.gz"
    )
    again = train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    assert started()[6:] == [f"{lost}-2"]
    assert again.record.model_sha256 == first.record.model_sha256
    train_on_sagemaker(aws, small_channels, tmp_path / "run", short, UNCONFIRMED)
    assert len(started()) == 7


def test_no_job_is_started_without_confirmation(
    aws: Aws,
    small_channels: Path,
    short: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    started: Started,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(DeclinedError):
        train_on_sagemaker(aws, small_channels, tmp_path / "run", short, UNCONFIRMED)
    assert started() == []
    assert "$0.230 an hour" in aws.console.file.getvalue()  # type: ignore[attr-defined]


def test_an_interrupted_training_is_resumed_by_the_same_command(
    aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    with pytest.raises(StoppedWaitingError):
        train_on_sagemaker(interrupted(aws), small_channels, tmp_path / "run", short, OPTIONS)
    assert started()
    assert not (tmp_path / "run").exists()
    train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    assert load_run(tmp_path / "run").record.rounds == 3
    assert len(started()) == 6


def test_a_failed_job_stops_the_others_and_is_started_again(
    simulated: SimulatedAws, aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "fail", times=1)
    with pytest.raises(AwsError, match=r"fold-0-.* failed: AlgorithmError") as caught:
        train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    assert caught.value.kind == "job-failed"
    jobs = started()
    statuses = training_jobs(aws)
    assert {statuses[name] for name in jobs} <= {"Completed", "Failed", "Stopped", "Stopping"}
    train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    assert f"{jobs[0]}-2" in started()


def test_the_log_of_a_failed_job_is_shown(
    simulated: SimulatedAws, aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path
) -> None:
    """A hidden file in a channel fails a job after it has started to log."""
    prefix = upload_channels(aws, small_channels).train("fold-1").partition("/verdict/")[2]
    hidden = {"Bucket": bucket.bucket_name(aws.account), "Key": f"verdict/{prefix}.hidden"}
    simulated.client("s3").put_object(**hidden, Body=b"1 0:1")
    with pytest.raises(AwsError, match=r"(?s)fold-1.* failed: .*Its log ends:\n.*Hidden file found"):
        train_on_sagemaker(aws, small_channels, tmp_path / "run", short, OPTIONS)
    simulated.client("s3").delete_object(**hidden)


def test_a_job_at_its_time_limit_names_the_option_for_more(aws: Aws) -> None:
    description = {
        "TrainingJobStatus": "Stopped",
        "SecondaryStatus": "MaxRuntimeExceeded",
        "ResourceConfig": {"InstanceCount": 1},
    }
    task = TrainingTask("train-1-fold-0", {}, "s3://x/")
    job = TrainingJob(task, {"TrainingJobName": "x"}, JobLog(aws.account.client("logs"), "x"), description)
    assert "--max-minutes" in stop_others(aws, job, [job]).detail


def test_a_stopped_job_is_called_stopped_without_its_log(aws: Aws) -> None:
    description = {
        "TrainingJobStatus": "Stopped",
        "SecondaryStatus": "Stopped",
        "ResourceConfig": {"InstanceCount": 1},
    }
    task = TrainingTask("train-1-fold-0", {}, "s3://x/")
    job = TrainingJob(task, {"TrainingJobName": "x"}, JobLog(aws.account.client("logs"), "x"), description)
    message = stop_others(aws, job, [job]).detail
    assert message.startswith("The training job x was stopped. No job is running now;")
    assert "log" not in message


def test_no_more_jobs_run_at_a_time_than_requested(
    aws: Aws, quickly: Callable[[float], None], small_channels: Path, short: dict[str, str], tmp_path: Path
) -> None:
    running: list[int] = []

    def watch(seconds: float) -> None:
        running.append(sum(status == "InProgress" for status in training_jobs(aws).values()))
        quickly(seconds)

    aws.pause = watch
    train_on_sagemaker(aws, small_channels, tmp_path / "run", short, replace(OPTIONS, parallel=2))
    assert max(running) <= 2


def test_jobs_wait_until_the_quota_has_room(
    simulated: SimulatedAws, aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    assert simulated.backend().limit("ml.m5.xlarge for training job usage") < 6
    simulated.fault_injector.inject("CreateTrainingJob", "slow")
    train_on_sagemaker(aws, small_channels, tmp_path / "run", short, replace(OPTIONS, parallel=100))
    assert len(started()) == 6


def test_a_quota_of_zero_is_reported(
    aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    options = replace(OPTIONS, instance_type="ml.m5.4xlarge")
    with pytest.raises(AwsError) as caught, translate_errors():
        train_on_sagemaker(aws, small_channels, tmp_path / "run", short, options)
    assert caught.value.kind == "quota"
    assert started() == []


def test_no_job_is_started_if_the_run_cannot_be_written(
    aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    (tmp_path / "runs").write_text("in place of the folder", encoding="utf-8")
    with pytest.raises(OSError, match="runs"):
        train_on_sagemaker(aws, small_channels, tmp_path / "runs" / "run", short, OPTIONS)
    assert started() == []


def test_stop_stops_only_the_jobs_of_this_run(
    simulated: SimulatedAws, aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "stuck")
    one, other = (replace(OPTIONS, run=run, parallel=1) for run in ("one", "other"))
    for options, seed in ((one, "62"), (other, "63")):
        with pytest.raises(StoppedWaitingError):
            train_on_sagemaker(interrupted(aws), small_channels, tmp_path, {**short, "max_bin": seed}, options)
    first, second = started()
    assert stop_run(aws, "prod", "one") == []
    assert stop_run(aws, "dev", "one") == [first]
    assert training_jobs(aws)[second] == "InProgress"
    assert "Still running in stage dev, and billed: other." in printed(aws)
    assert stop_run(aws, "dev", "other") == [second]
    assert stop_run(aws, "dev", "other") == []


def test_stop_needs_only_the_name_of_the_run(
    simulated: SimulatedAws,
    aws: Aws,
    small_channels: Path,
    short: dict[str, str],
    tmp_path: Path,
    started: Started,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "stuck")
    with pytest.raises(StoppedWaitingError):
        train_on_sagemaker(interrupted(aws), small_channels, tmp_path, short, replace(OPTIONS, run="named"))
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)
    ran = CliRunner().invoke(command, ["--on", "sagemaker", "--name", "named", "--stop"])
    assert ran.exit_code == 0, ran.output
    assert started()
    assert all(name in ran.output for name in started())
    assert {training_jobs(aws)[name] for name in started()} <= {"Stopping", "Stopped"}


def test_an_interrupted_spot_job_resumes_with_its_whole_history(
    simulated: SimulatedAws, aws: Aws, small_channels: Path, tmp_path: Path, started: Started
) -> None:
    simulated.fault_injector.inject("CreateTrainingJob", "interrupt", times=1)
    stated = with_settings("default", ("num_round=12", "early_stopping_rounds=", "max_leaves=3", "subsample=1"))
    train_on_sagemaker(aws, small_channels, tmp_path / "remote", stated, replace(OPTIONS, spot=True))
    train(small_channels, tmp_path / "local", stated)
    local, remote = (load_run(tmp_path / name) for name in ("local", "remote"))
    assert remote.model == local.model
    assert len(remote.record.history["validation"]["logloss"]) == 12
    name = started()[0]
    description = training_job.describe(aws.account, name)
    assert description["CheckpointConfig"]["S3Uri"].endswith(f"jobs/{name}/checkpoints")
    assert "Interrupted" in [transition["Status"] for transition in description["SecondaryStatusTransitions"]]


def test_several_instances_each_get_a_part_of_the_train_channel(aws: Aws, short: dict[str, str]) -> None:
    task = TrainingTask("train-1-fold-0", short, "s3://b/fold-0/train-of-2/", "s3://b/fold-0/validation/")
    request = training_job.find(aws.account, "dev", task, JobResources("ml.m5.xlarge", 2)).request
    distributions = [
        channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] for channel in request["InputDataConfig"]
    ]
    assert distributions == ["ShardedByS3Key", "FullyReplicated"]
    assert request["ResourceConfig"]["InstanceCount"] == 2


def test_several_instances_train_on_the_parts_from_spark(
    aws: Aws, channels_in_parts: Path, short: dict[str, str], tmp_path: Path, started: Started
) -> None:
    train_on_sagemaker(aws, channels_in_parts, tmp_path / "run", short, replace(OPTIONS, instance_count=2))
    assert load_run(tmp_path / "run").record.prepared.engine == SPARK
    source = training_job.describe(aws.account, started()[0])["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert source["S3Uri"].endswith("/fold-0/train/")


def test_a_job_is_isolated_pinned_and_tagged(aws: Aws, short: dict[str, str]) -> None:
    """And uses all threads of its instance, not the number for this machine."""
    task = TrainingTask("train-1-all", short, "s3://b/all/train/")
    request = training_job.find(aws.account, "dev", task, JobResources("ml.m5.xlarge")).request
    assert request["EnableNetworkIsolation"]
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith("/sagemaker-xgboost:3.0-5")
    assert {"Key": "verdict:stage", "Value": "dev"} in request["Tags"]
    assert "nthread" not in request["HyperParameters"]
    assert {type(value) for value in request["HyperParameters"].values()} == {str}
    assert len(request["TrainingJobName"]) <= 63


def test_a_linear_model_trained_on_sagemaker_equals_a_local_one(aws: Aws, small_channels: Path, tmp_path: Path) -> None:
    stated = with_settings("linear", ("num_round=2",))
    train(small_channels, tmp_path / "local", stated)
    train_on_sagemaker(aws, small_channels, tmp_path / "remote", stated, OPTIONS)
    local, remote = (load_run(tmp_path / name) for name in ("local", "remote"))
    assert remote.model == local.model
    assert remote.held_out == local.held_out


def test_a_terminal_shows_the_jobs_as_a_table(
    aws: Aws, small_channels: Path, short: dict[str, str], tmp_path: Path
) -> None:
    shown, terminal = io.StringIO(), copy(aws)
    terminal.console = Console(file=shown, width=120, force_terminal=True)
    train_on_sagemaker(terminal, small_channels, tmp_path / "run", short, OPTIONS)
    for text in ("validation logloss", "fold-4", "Completed"):
        assert text in shown.getvalue()
