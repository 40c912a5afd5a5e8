import io
import json
from itertools import count

import pytest
from rich.console import Console

from operations.aws import bucket, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError, explained
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.jobs import training_job
from operations.jobs.channel_upload import upload_channels
from operations.jobs.job_log import JobLog
from operations.jobs.job_progress import ended_badly
from operations.jobs.run_jobs import TrainingOptions, purpose_of
from operations.jobs.sagemaker_training import JOBS_NAME, train_there
from operations.jobs.training_job import JobResources
from operations.jobs.training_order import stop_jobs
from training.evaluation.evaluate import evaluate
from training.features.channels import Prepared
from training.model.hyperparameters import with_settings
from training.model.run_folder import load_run
from training.model.train import train
from training.release import release

ORDER = TrainingOptions("dev", JobResources("ml.m5.xlarge"), yes=True)
EARLY = ("num_round=30", "early_stopping_rounds=5", "max_leaves=7", "eta=0.1", "colsample_bytree=0.5")
SHORT = ("num_round=3", "early_stopping_rounds=", "max_leaves=3", "eta=0.3")
_seeds = count(100)


@pytest.fixture(autouse=True)
def with_role(aws, quickly):
    role.create(aws)
    aws.pause = quickly


@pytest.fixture
def short():
    """Hyperparameters of jobs that are done at once, and that no other test has begun."""
    return with_settings("default", (*SHORT, f"seed={next(_seeds)}"))


def ctrl_c(_seconds):
    raise KeyboardInterrupt


def job_names(aws):
    pages = aws.account.client("sagemaker").get_paginator("list_training_jobs").paginate()
    return {one["TrainingJobName"]: one["TrainingJobStatus"] for page in pages for one in page["TrainingJobSummaries"]}


def made(aws):
    return [line["name"] for line in aws.journal.read() if line["kind"] == "training-job"]


def test_a_run_trained_there_is_the_run_trained_here(aws, small_channels, tmp_path):
    """Folds that stopped before the common number of rounds are trained again, so that even those say the same."""
    stated = with_settings("default", EARLY)
    here = train(small_channels, tmp_path / "here", stated)
    there = train_there(aws, small_channels, tmp_path / "there", stated, ORDER)
    runs = [load_run(folder) for folder in (here.folder, there.folder)]
    assert runs[0].model == runs[1].model
    assert runs[0].held_out == runs[1].held_out
    assert runs[0].record.rounds == runs[1].record.rounds
    assert runs[0].record.hyperparameters == runs[1].record.hyperparameters
    for split, by_metric in runs[0].record.history.items():
        for metric, values in by_metric.items():
            assert runs[1].record.history[split][metric] == pytest.approx(values, abs=1e-5)
    assert runs[1].record.versions["sagemaker image"] == "sagemaker-xgboost:3.0-5"
    jobs = json.loads((there.folder / JOBS_NAME).read_text())
    assert {"fold-0", "fold-4", "all"} < jobs.keys()
    assert any(label.endswith("-again") for label in jobs)
    assert there.record.seconds == sum(job["billable_seconds"] for job in jobs.values())


def test_a_run_trained_there_is_evaluated_and_released_as_any_other(aws, small_channels, small_data, short, tmp_path):
    train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    evaluate(tmp_path / "run", small_data)
    release(tmp_path / "run", small_data, tmp_path / "release", tmp_path / "model")
    assert (tmp_path / "model/xgboost-model").read_bytes() == load_run(tmp_path / "run").model
    assert "sagemaker-xgboost:3.0-5" in (tmp_path / "run/report.html").read_text()


def test_the_same_command_takes_what_is_done_and_makes_what_is_missing(aws, small_channels, short, tmp_path):
    first = train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    begun = made(aws)
    assert len(begun) == 6
    lost = next(name for name in begun if "fold-3" in name)
    aws.account.client("s3").delete_object(
        Bucket=bucket.bucket_name(aws.account), Key=f"verdict/jobs/{lost}/output/model.tar.gz"
    )
    unasked = TrainingOptions("dev", ORDER.machines, yes=True)
    again = train_there(aws, small_channels, tmp_path / "run", short, unasked)
    assert made(aws)[6:] == [f"{lost}-2"]
    assert again.record.model_sha256 == first.record.model_sha256
    nobody_to_ask = TrainingOptions("dev", ORDER.machines)
    train_there(aws, small_channels, tmp_path / "run", short, nobody_to_ask)
    assert len(made(aws)) == 7


def test_nothing_is_made_when_nobody_agrees(aws, small_channels, short, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    before = job_names(aws)
    with pytest.raises(DeclinedError):
        train_there(aws, small_channels, tmp_path / "run", short, TrainingOptions("dev", ORDER.machines))
    assert job_names(aws) == before
    assert "$0.230 an hour" in aws.console.file.getvalue()


def test_ctrl_c_stops_waiting_and_the_same_command_goes_on(aws, quickly, small_channels, short, tmp_path):
    aws.pause = ctrl_c
    with pytest.raises(StoppedWaitingError, match="the same command goes on"):
        train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    aws.pause = quickly
    begun = made(aws)
    assert begun
    assert not (tmp_path / "run").exists()
    train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    assert load_run(tmp_path / "run").record.rounds == 3
    assert len(set(made(aws))) == len(made(aws)) == 6


def test_a_failed_job_says_why_stops_the_others_and_is_made_again(simulated, aws, small_channels, short, tmp_path):
    simulated.fault_injector.order("CreateTrainingJob", "fail", times=1)
    with pytest.raises(AwsError, match=r"fold-0-.* failed: AlgorithmError: .* as it was told to") as raised:
        train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    assert raised.value.kind == "job-failed"
    begun = made(aws)
    ended = {"Completed", "Failed", "Stopped", "Stopping"}
    assert {status for name, status in job_names(aws).items() if name in begun} <= ended
    train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    assert begun[0] + "-2" in made(aws)


def test_what_the_container_says_last_is_shown(simulated, aws, small_channels, short, tmp_path):
    """A hidden file in a channel fails a job, after it has begun to log."""
    where = upload_channels(aws, small_channels).train("fold-1")
    hidden = {"Bucket": bucket.bucket_name(aws.account), "Key": where.partition("/verdict/")[2] + ".hidden"}
    hidden["Key"] = f"verdict/{hidden['Key']}"
    simulated.client("s3").put_object(**hidden, Body=b"1 0:1")
    with pytest.raises(AwsError, match=r"(?s)fold-1.* failed: .*Its log ends:\n.*Hidden file found"):
        train_there(aws, small_channels, tmp_path / "run", short, ORDER)
    simulated.client("s3").delete_object(**hidden)


def test_a_job_out_of_time_says_which_option_gives_it_more(aws):
    told = {
        "TrainingJobStatus": "Stopped",
        "SecondaryStatus": "MaxRuntimeExceeded",
        "ResourceConfig": {"InstanceCount": 1},
    }
    work = training_job.TrainingTask("train-1-fold-0", {}, "s3://x/")
    job = training_job.TrainingJob(work, {"TrainingJobName": "x"}, JobLog(aws.account.client("logs"), "x"), told)
    assert "--max-minutes" in ended_badly(aws, job, [job]).detail


def test_jobs_are_begun_as_many_at_a_time_as_asked_for(aws, quickly, small_channels, short, tmp_path):
    most = []

    def watch(seconds):
        most.append(sum(status == "InProgress" for status in job_names(aws).values()))
        quickly(seconds)

    order = TrainingOptions("dev", ORDER.machines, parallel=2, yes=True)
    aws.pause = watch
    train_there(aws, small_channels, tmp_path / "run", short, order)
    assert max(most) <= 2


def test_jobs_wait_for_room_in_the_quota(simulated, aws, small_channels, short, tmp_path):
    """As many as fit run at a time, however many may."""
    room = simulated.world().limit("ml.m5.xlarge for training job usage")
    assert room < 6
    order = TrainingOptions("dev", ORDER.machines, parallel=100, yes=True)
    simulated.fault_injector.order("CreateTrainingJob", "slow")
    train_there(aws, small_channels, tmp_path / "run", short, order)
    assert len(made(aws)) == 6


def test_no_room_in_the_quota_at_all_is_said(aws, small_channels, short, tmp_path):
    order = TrainingOptions("dev", JobResources("ml.m5.4xlarge"), yes=True)
    with pytest.raises(AwsError, match=r"quotas --request 'ml.m5.4xlarge for training job usage="), explained():
        train_there(aws, small_channels, tmp_path / "run", short, order)
    assert made(aws) == []


def test_stop_stops_the_jobs_of_this_run_alone(simulated, aws, small_channels, short, tmp_path):
    simulated.fault_injector.order("CreateTrainingJob", "stuck")
    for stage in ("dev", "prod"):
        aws.pause = ctrl_c
        with pytest.raises(StoppedWaitingError):
            train_there(
                aws, small_channels, tmp_path, short, TrainingOptions(stage, ORDER.machines, parallel=1, yes=True)
            )
    prepared = json.loads((small_channels / "prepared.json").read_text())
    purpose = purpose_of(Prepared(**prepared), short, ORDER.machines)
    assert stop_jobs(aws, "dev", purpose) == [made(aws)[0]]
    left = made(aws)[1]
    assert job_names(aws)[left] == "InProgress"
    assert stop_jobs(aws, "prod", purpose) == [left]
    assert stop_jobs(aws, "prod", purpose) == []


def test_an_interrupted_spot_job_goes_on_and_its_history_is_whole(simulated, aws, small_channels, tmp_path):
    simulated.fault_injector.order("CreateTrainingJob", "interrupt", times=1)
    order = TrainingOptions("dev", JobResources("ml.m5.xlarge", spot=True), yes=True)
    stated = with_settings("default", ("num_round=12", "early_stopping_rounds=", "max_leaves=3", "subsample=1"))
    train_there(aws, small_channels, tmp_path / "there", stated, order)
    train(small_channels, tmp_path / "here", stated)
    here, there = (load_run(tmp_path / name) for name in ("here", "there"))
    assert there.model == here.model
    assert len(there.record.history["validation"]["logloss"]) == 12
    told = aws.account.client("sagemaker").describe_training_job(TrainingJobName=made(aws)[0])
    assert told["CheckpointConfig"]["S3Uri"].endswith(f"jobs/{made(aws)[0]}/checkpoints")
    assert "Interrupted" in [one["Status"] for one in told["SecondaryStatusTransitions"]]


def test_several_instances_get_parts_of_the_train_channel_dealt_out(aws, short):
    work = training_job.TrainingTask("train-1-fold-0", short, "s3://b/fold-0/train-of-2/", "s3://b/fold-0/validation/")
    request = training_job.find(aws.account, "dev", work, JobResources("ml.m5.xlarge", 2)).request
    spread = [one["DataSource"]["S3DataSource"]["S3DataDistributionType"] for one in request["InputDataConfig"]]
    assert spread == ["ShardedByS3Key", "FullyReplicated"]
    assert request["ResourceConfig"]["InstanceCount"] == 2


def test_a_job_is_isolated_pinned_tagged_and_told_nothing_of_this_machines_threads(aws, short):
    work = training_job.TrainingTask("train-1-all", short, "s3://b/all/train/")
    request = training_job.find(aws.account, "dev", work, JobResources("ml.m5.xlarge")).request
    assert request["EnableNetworkIsolation"]
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith("/sagemaker-xgboost:3.0-5")
    assert {"Key": "verdict:stage", "Value": "dev"} in request["Tags"]
    assert "nthread" not in request["HyperParameters"]
    assert all(isinstance(value, str) for value in request["HyperParameters"].values())
    assert len(request["TrainingJobName"]) <= 63


def test_a_linear_model_is_trained_there_too(aws, small_channels, tmp_path):
    stated = with_settings("linear", ("num_round=6",))
    train(small_channels, tmp_path / "here", stated)
    train_there(aws, small_channels, tmp_path / "there", stated, ORDER)
    here, there = (load_run(tmp_path / name) for name in ("here", "there"))
    assert there.model == here.model
    assert there.held_out == here.held_out


def test_a_terminal_shows_the_jobs_as_a_table(aws, quickly, small_channels, short, tmp_path):
    screen = Console(file=io.StringIO(), width=120, force_terminal=True)
    train_there(Aws(aws.account, aws.journal, screen, quickly), small_channels, tmp_path / "run", short, ORDER)
    shown = screen.file.getvalue()
    assert "validation logloss" in shown
    assert "fold-4" in shown
    assert "Completed" in shown
