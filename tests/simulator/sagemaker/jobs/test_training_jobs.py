"""Training jobs through boto3: channels in S3, training with xgboost, states, logs and artifacts."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
import xgboost
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.account import BUCKET
from tests.simulator.sagemaker.job_account import FOLD, JobAccount, channel, unpack
from training.features.channels import pair_of
from training.model.container_image import image_uri
from training.model.hyperparameters import parse
from training.model.train import fit

SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
}
LONG = {"num_round": "100000", "early_stopping_rounds": "100000"}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}


def states(job: dict[str, Any]) -> list[str]:
    return [item["Status"] for item in job["SecondaryStatusTransitions"]]


def refusal(jobs: JobAccount, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        jobs.start(**changes)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_job_trains_the_same_bytes_as_local_training(
    jobs: JobAccount, small_channels: Path, small_hyperparameters: dict[str, str]
) -> None:
    job = jobs.train()
    url = f"s3://{BUCKET}/output/{job['TrainingJobName']}/output/model.tar.gz"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": url}
    booster, history = fit(small_channels / pair_of(FOLD), parse(small_hyperparameters))
    assert unpack(jobs.get(url)) == {"xgboost-model": bytes(booster.save_raw("ubj"))}
    final = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert set(final) == {"train:error", "train:logloss", "validation:error", "validation:logloss"}
    assert final["validation:logloss"] == pytest.approx(history["validation"]["logloss"][-1], abs=1e-5)


def test_job_records_its_states_and_billable_time(jobs: JobAccount) -> None:
    job = jobs.train()
    assert states(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    ends = [item["EndTime"] for item in job["SecondaryStatusTransitions"]]
    assert ends == sorted(ends)
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    assert job["SecondaryStatus"] == "Completed"


def test_log_is_in_cloudwatch(jobs: JobAccount) -> None:
    name = jobs.train()["TrainingJobName"]
    lines = jobs.log("TrainingJobs", name, "algo-1-").splitlines()
    assert any(line.endswith(":INFO] Running XGBoost Sagemaker in algorithm mode") for line in lines)
    assert any(line.startswith("[0]#011train-error:0.") for line in lines)


def test_log_can_be_followed_until_job_is_stopped(jobs: JobAccount) -> None:
    name = jobs.start(LONG)
    jobs.wait_for_line(name, "train-error")
    assert jobs.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training"
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    job = jobs.ended("Training", name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert states(job)[-2:] == ["Stopping", "Stopped"]
    assert "ModelArtifacts" not in job
    with pytest.raises(ClientError, match="is in status Stopped"):
        jobs.sagemaker.stop_training_job(TrainingJobName=name)


def test_stopped_job_keeps_its_model_if_configured(jobs: JobAccount) -> None:
    name = jobs.start(LONG | {"save_model_on_termination": "true"})
    jobs.wait_for_line(name, "train-error")
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    job = jobs.ended("Training", name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert list(unpack(jobs.get(job["ModelArtifacts"]["S3ModelArtifacts"]))) == ["xgboost-model"]


def test_job_stops_after_its_longest_run_time(jobs: JobAccount) -> None:
    job = jobs.train(LONG, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_container_error_fails_the_job_and_is_logged(jobs: JobAccount) -> None:
    job = jobs.train({"silent": "1"})
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: framework error:")
    assert job["FailureReason"].endswith("Extraneous hyperparameter found: silent, exit code: 1")
    assert "Extraneous hyperparameter found: silent" in jobs.log("TrainingJobs", job["TrainingJobName"])


def test_hidden_file_in_a_channel_fails_the_job(jobs: JobAccount) -> None:
    jobs.put("hidden/.DS_Store", b"x")
    jobs.put("hidden/train.libsvm", b"1 0:1 1:1\n0 0:1 1:2\n")
    job = jobs.train(InputDataConfig=[channel("train", "hidden/")])
    assert "Hidden file found in the data path!" in job["FailureReason"]


def test_manifests_and_gzip_objects_are_read(jobs: JobAccount, small_channels: Path) -> None:
    content = (small_channels / pair_of(FOLD) / "train/train.libsvm").read_bytes()
    jobs.put("gzipped/a.gz", gzip.compress(content))
    jobs.put("gzipped/b.gz", b"not compressed")
    jobs.put("list.manifest", json.dumps([{"prefix": f"s3://{BUCKET}/gzipped/"}, "a.gz"]).encode())
    train = channel("train", "list.manifest", CompressionType="Gzip")
    train["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    validation = channel("validation", "channels/validation/")
    assert jobs.train(InputDataConfig=[train, validation])["TrainingJobStatus"] == "Completed"
    failed = jobs.train(InputDataConfig=[channel("train", "gzipped/", CompressionType="Gzip")])
    assert failed["FailureReason"].startswith("ClientError: Data download failed:")
    assert "gzipped/b.gz is not compressed with gzip" in failed["FailureReason"]


def test_absent_output_bucket_fails_the_job_at_its_end(jobs: JobAccount) -> None:
    job = jobs.train(OutputDataConfig={"S3OutputPath": "s3://verdict-absent/output"})
    assert states(job)[-2:] == ["Uploading", "Failed"]
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"RoleArn": "arn:aws:iam::123456789012:role/absent"},
            "ValidationException",
            "Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.",
        ),
        (
            {"InputDataConfig": [channel("train", "nothing/here")]},
            "ValidationException",
            f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/here" given in input data source.',
        ),
        ({"InputDataConfig": [channel("train", "channels")] * 2}, "ValidationException", "must be unique"),
        (
            {"AlgorithmSpecification": {"TrainingImage": image_uri("eu-west-1"), "TrainingInputMode": "File"}},
            "ValidationException",
            "not found",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "ValidationException", "TrainingImage"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": image_uri("us-east-1"),
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "validation:error", "Regex": "validation-error:(.*)"}],
                }
            },
            "ValidationException",
            "You can't override the metric definitions for Amazon SageMaker algorithms.",
        ),
        ({"ResourceConfig": {"InstanceCount": 1}}, "ValidationException", "InstanceType, VolumeSizeInGB"),
        (
            {"ResourceConfig": TWO | {"InstanceCount": 99}},
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.m5.large for training job usage' is 4 Instances",
        ),
        ({"EnableManagedSpotTraining": True}, "ValidationException", "MaxWaitTimeInSeconds"),
        (
            SPOT | {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}},
            "ValidationException",
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "ValidationException",
            "only supported when EnableManagedSpotTraining",
        ),
        ({"Environment": {"A": "1"}}, "ValidationException", "does not support Environment"),
    ],
)
def test_invalid_request_starts_no_job(jobs: JobAccount, changes: dict[str, Any], code: str, message: str) -> None:
    found = refusal(jobs, **changes)
    assert found[0] == code
    assert message in found[1]


def test_running_jobs_count_against_the_instance_quota(jobs: JobAccount) -> None:
    name = jobs.start(LONG, ResourceConfig=TWO | {"InstanceCount": 3})
    code, message = refusal(jobs, ResourceConfig=TWO)
    assert code == "ResourceLimitExceeded"
    assert "with current utilization of 3 Instances and a request delta of 2 Instances" in message
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    jobs.ended("Training", name)
    assert jobs.train(ResourceConfig=TWO)["TrainingJobStatus"] == "Completed"


def test_duplicate_job_name_is_refused(jobs: JobAccount) -> None:
    name = jobs.train()["TrainingJobName"]
    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse):
        jobs.sagemaker.create_training_job(
            TrainingJobName=name, HyperParameters=jobs.hyperparameters, **jobs.definition()
        )
    jobs.sagemaker.delete_training_job(TrainingJobName=name)
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Requested resource not found\."):
        jobs.sagemaker.describe_training_job(TrainingJobName=name)


def test_jobs_are_listed_by_status(jobs: JobAccount) -> None:
    failed = jobs.train({"silent": "1"})["TrainingJobName"]
    listed = jobs.sagemaker.list_training_jobs(StatusEquals="Failed", NameContains=failed)["TrainingJobSummaries"]
    assert [(item["TrainingJobName"], item["TrainingJobStatus"]) for item in listed] == [(failed, "Failed")]


def test_interrupted_spot_job_resumes_from_its_checkpoint(jobs: JobAccount) -> None:
    jobs.account.aws.fault_injector.inject("CreateTrainingJob", "interrupt", times=1)
    url = f"s3://{BUCKET}/checkpoints/one"
    job = jobs.train({"num_round": "20"}, CheckpointConfig={"S3Uri": url}, **SPOT)
    first_states = ["Starting", "Downloading", "Training"]
    assert states(job) == [*first_states, "Interrupted", *first_states, "Uploading", "Completed"]
    assert ":INFO] Resuming from iteration 5" in jobs.log("TrainingJobs", job["TrainingJobName"])
    assert jobs.get(f"{url}/xgboost-checkpoint.4")
    model = unpack(jobs.get(job["ModelArtifacts"]["S3ModelArtifacts"]))["xgboost-model"]
    assert xgboost.Booster(model_file=bytearray(model)).num_boosted_rounds() > 5


def test_only_the_latest_checkpoints_are_kept(jobs: JobAccount) -> None:
    jobs.train({"num_round": "45", "early_stopping_rounds": "45"}, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/kept/"})
    listed = jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="kept/")["Contents"]
    numbers = sorted(int(item["Key"].rpartition(".")[2]) for item in listed)
    assert numbers == [24, 29, 34, 39, 44]


def test_two_instances_with_sharded_channels_train_one_model(
    jobs: JobAccount, small_channels: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = (small_channels / pair_of(FOLD) / "train/train.libsvm").read_bytes().splitlines(keepends=True)
    for number in range(4):
        jobs.put(f"sharded/part-{number}", b"".join(lines[number::4]))
    train = channel("train", "sharded/", "ShardedByS3Key")
    job = jobs.train(InputDataConfig=[train, channel("validation", "channels/validation/")], ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Completed"
    logs = [jobs.log("TrainingJobs", job["TrainingJobName"], host) for host in ("algo-1-", "algo-2-")]
    rows = [sum(len(lines[number::4]) for number in part) for part in ((0, 2), (1, 3))]
    assert [f"Train matrix has {count} rows" in log for count, log in zip(rows, logs, strict=True)] == [True, True]
    assert "Distributed node training with 2 hosts: ['algo-1', 'algo-2']" in logs[1]
    capfd.readouterr()  # discard the output of xgboost's tracker


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [("fail", "Training", "AlgorithmError: "), ("capacity", "Starting", "CapacityError: Unable to provision")],
)
def test_injected_fault_fails_the_job(jobs: JobAccount, fault: str, state: str, reason: str) -> None:
    jobs.account.aws.fault_injector.inject("CreateTrainingJob", fault, times=1)
    job = jobs.train()
    assert states(job)[-2:] == [state, "Failed"]
    assert job["FailureReason"].startswith(reason)
    assert jobs.train()["TrainingJobStatus"] == "Completed"


def test_stuck_job_can_be_stopped(jobs: JobAccount) -> None:
    jobs.account.aws.fault_injector.inject("CreateTrainingJob", "stuck", times=1)
    name = jobs.start()
    assert jobs.reached("Training", name, "SecondaryStatus", "Starting")["TrainingJobStatus"] == "InProgress"
    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse):
        jobs.sagemaker.delete_training_job(TrainingJobName=name)
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    assert jobs.ended("Training", name)["TrainingJobStatus"] == "Stopped"


def test_slow_job_takes_longer(jobs: JobAccount) -> None:
    with jobs.account.at_pace(0.005):
        jobs.account.aws.fault_injector.inject("CreateTrainingJob", "slow", times=1)
        job = jobs.train()
    starting = job["SecondaryStatusTransitions"][0]
    assert job["TrainingJobStatus"] == "Completed"
    assert (starting["EndTime"] - starting["StartTime"]).total_seconds() > 10 * 0.005


def test_training_job_is_described_as_the_sagemaker_sdk_attaches_to_it(jobs: JobAccount) -> None:
    described = jobs.train({"num_round": "1"})
    assert described["OutputDataConfig"]["KmsKeyId"] == ""
    (definition,) = (
        metric
        for metric in described["AlgorithmSpecification"]["MetricDefinitions"]
        if metric["Name"] == "validation:logloss"
    )
    found = re.fullmatch(definition["Regex"], "[0]#011train-logloss:0.61#011validation-logloss:0.625")
    assert found
    assert found[1] == "0.625"


def test_script_mode_is_refused_by_its_name(jobs: JobAccount) -> None:
    with pytest.raises(ClientError, match="not your own script") as caught:
        jobs.start({"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"s3://b/source.tar.gz"'})
    assert "sagemaker_program, sagemaker_submit_directory" in str(caught.value)


def test_older_image_trains_with_a_warning_in_the_log(jobs: JobAccount) -> None:
    algorithm = {"TrainingImage": image_uri("us-east-1", "1.7-1"), "TrainingInputMode": "File"}
    described = jobs.train({"num_round": "1"}, AlgorithmSpecification=algorithm)
    assert described["TrainingJobStatus"] == "Completed"
    warning, *_ = jobs.log("TrainingJobs", described["TrainingJobName"]).splitlines()
    assert warning.startswith("WARNING: the simulator runs the image sagemaker-xgboost:1.7-1 with xgboost 3.0.5")
