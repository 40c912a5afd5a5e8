"""Tuning jobs through boto3, with real training jobs."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.account import BUCKET
from tests.simulator.sagemaker.job_account import JobAccount, channel

STATUS = "HyperParameterTuningJobStatus"
LOGLOSS = {"Type": "Minimize", "MetricName": "validation:logloss"}
RANGES = {
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "6"}],
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.9", "ScalingType": "Logarithmic"},
    ],
}
GRID = {
    "CategoricalParameterRanges": [
        {"Name": "max_depth", "Values": ["2", "4"]},
        {"Name": "eta", "Values": ["0.1", "0.3"]},
    ]
}


def config(strategy: str = "Random", max_jobs: int | None = 3, parallel: int = 2, **changes: Any) -> dict[str, Any]:
    limits = {"MaxParallelTrainingJobs": parallel} | ({"MaxNumberOfTrainingJobs": max_jobs} if max_jobs else {})
    return {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": LOGLOSS,
        "ResourceLimits": limits,
        "ParameterRanges": RANGES,
    } | changes


def start(
    jobs: JobAccount, tuning_config: dict[str, Any], static: dict[str, str] | None = None, **definition: Any
) -> str:
    """Start a tuning job; returns its name."""
    name = jobs.account.new_name()
    tuned = {item["Name"] for ranges in tuning_config["ParameterRanges"].values() for item in ranges}
    fixed = {name: value for name, value in jobs.hyperparameters.items() if name not in tuned}
    jobs.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig=tuning_config,
        TrainingJobDefinition={"StaticHyperParameters": fixed | {"num_round": "8"} | (static or {})}
        | jobs.definition(**definition),
        Tags=[{"Key": "verdict:stage", "Value": "dev"}],
    )
    return name


def tune(
    jobs: JobAccount, tuning_config: dict[str, Any], static: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Run a tuning job to its end; returns its description."""
    return jobs.ended("HyperParameterTuning", start(jobs, tuning_config, static, **more))


def attempts(jobs: JobAccount, name: str, **more: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = jobs.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **more
    )["TrainingJobSummaries"]
    return listed


def value(attempt: dict[str, Any]) -> float:
    found: float = attempt["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return found


def test_tuning_job_finds_the_best_training_job(jobs: JobAccount) -> None:
    described = tune(jobs, config())
    assert described[STATUS] == "Completed"
    assert described["TrainingJobStatusCounters"] == {
        "Completed": 3, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert described["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    by_value = attempts(
        jobs, described["HyperParameterTuningJobName"], SortBy="FinalObjectiveMetricValue", SortOrder="Ascending"
    )
    first = {"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Ascending", "MaxResults": 1}
    assert attempts(jobs, described["HyperParameterTuningJobName"], **first) == by_value[:1]
    assert [value(item) for item in by_value] == sorted(value(item) for item in by_value)
    assert described["BestTrainingJob"]["TrainingJobName"] == by_value[0]["TrainingJobName"]
    assert described["BestTrainingJob"]["TunedHyperParameters"].keys() == {"max_depth", "eta"}
    assert (
        described["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"]
        == "validation:logloss"
    )


def test_tuning_job_is_described_as_the_sagemaker_sdk_attaches_to_it(jobs: JobAccount) -> None:
    definition = jobs.definition()
    instances = definition.pop("ResourceConfig")
    name = jobs.account.new_name()
    jobs.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig=config(max_jobs=1),
        TrainingJobDefinition={
            **definition,
            "StaticHyperParameters": {"objective": "binary:logistic", "num_round": "2"},
            "HyperParameterTuningResourceConfig": instances,
        },
    )
    described = jobs.ended("HyperParameterTuning", name)
    found = described["TrainingJobDefinition"]
    assert described[STATUS] == "Completed"
    assert described["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"
    assert found["StaticHyperParameters"]["_tuning_objective_metric"] == "validation:logloss"
    assert found["ResourceConfig"] == found["HyperParameterTuningResourceConfig"] == instances
    assert found["OutputDataConfig"]["KmsKeyId"] == ""
    names = [metric["Name"] for metric in found["AlgorithmSpecification"]["MetricDefinitions"]]
    assert {"train:error", "validation:logloss"} <= set(names)


def test_more_training_jobs_than_aws_allows_are_refused(jobs: JobAccount) -> None:
    with pytest.raises(ClientError, match="training jobs per hyperparameter tuning job' is 750") as caught:
        start(jobs, config(max_jobs=4000))
    assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"


def test_training_jobs_of_a_tuning_job_can_be_described(jobs: JobAccount) -> None:
    described = tune(jobs, config(max_jobs=1))
    name = described["HyperParameterTuningJobName"]
    (attempt,) = attempts(jobs, name)
    prefix, number, digits = attempt["TrainingJobName"].rsplit("-", 2)
    assert (prefix, number, len(bytes.fromhex(digits))) == (name, "001", 4)
    job = jobs.sagemaker.describe_training_job(TrainingJobName=attempt["TrainingJobName"])
    assert job["TuningJobArn"] == described["HyperParameterTuningJobArn"]
    assert job["HyperParameters"]["_tuning_objective_metric"] == "validation:logloss"
    assert attempt["TunedHyperParameters"].items() <= job["HyperParameters"].items()
    assert jobs.get(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_objective_metric_is_computed_without_eval_metric(jobs: JobAccount) -> None:
    auc = {"Type": "Maximize", "MetricName": "validation:auc"}
    described = tune(jobs, config(max_jobs=2, HyperParameterTuningJobObjective=auc), {"eval_metric": "error"})
    assert described["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Type"] == "Maximize"
    values = [value(item) for item in attempts(jobs, described["HyperParameterTuningJobName"])]
    assert value(described["BestTrainingJob"]) == max(values) > 0.5


def test_parallel_training_jobs_stay_within_their_limit(jobs: JobAccount) -> None:
    described = tune(jobs, config(max_jobs=5, parallel=2))
    found = sorted(attempts(jobs, described["HyperParameterTuningJobName"]), key=lambda item: item["CreationTime"])
    for item in found:
        others = [other for other in found if other["CreationTime"] <= item["CreationTime"] < other["TrainingEndTime"]]
        assert len(others) <= 2
    assert found[1]["CreationTime"] < found[0]["TrainingEndTime"]


def test_grid_tries_every_combination_once(jobs: JobAccount) -> None:
    described = tune(jobs, config("Grid", max_jobs=None, parallel=4, ParameterRanges=GRID))
    tried = [item["TunedHyperParameters"] for item in attempts(jobs, described["HyperParameterTuningJobName"])]
    assert sorted((item["max_depth"], item["eta"]) for item in tried) == [
        ("2", "0.1"), ("2", "0.3"), ("4", "0.1"), ("4", "0.3"),
    ]  # fmt: skip


def test_bayesian_search_uses_earlier_results(jobs: JobAccount) -> None:
    described = tune(jobs, config("Bayesian", max_jobs=8, parallel=1, RandomSeed=1))
    found = attempts(jobs, described["HyperParameterTuningJobName"], SortBy="CreationTime", SortOrder="Ascending")
    random = tune(jobs, config("Random", max_jobs=8, parallel=1, RandomSeed=1))
    other = attempts(jobs, random["HyperParameterTuningJobName"], SortBy="CreationTime", SortOrder="Ascending")
    drawn = [[item["TunedHyperParameters"] for item in jobs_of] for jobs_of in (found, other)]
    assert drawn[0][5:] != drawn[1][5:]
    assert min(value(item) for item in found[5:]) <= sorted(value(item) for item in found[:5])[2]


def test_hyperband_stops_weak_training_jobs(jobs: JobAccount) -> None:
    limits = {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 8}}}
    described = tune(jobs, config("Hyperband", max_jobs=9, parallel=1, RandomSeed=3, **limits))
    counters = described["TrainingJobStatusCounters"]
    assert described[STATUS] == "Completed"
    assert counters["Stopped"] >= 1
    assert counters["Stopped"] + counters["Completed"] == 9


def test_target_value_ends_the_tuning_job(jobs: JobAccount) -> None:
    enough = {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 10.0}}
    described = tune(jobs, config(max_jobs=50, parallel=1, **enough))
    assert described[STATUS] == "Completed"
    assert described["TrainingJobStatusCounters"]["Completed"] < 5


def test_stopping_a_tuning_job_stops_its_training_jobs(jobs: JobAccount) -> None:
    name = start(jobs, config(max_jobs=20), {"num_round": "100000", "early_stopping_rounds": "100000"})
    jobs.reached("HyperParameterTuning", name, "TrainingJobStatusCounters.InProgress", 2)
    for attempt in attempts(jobs, name):
        jobs.wait_for_line(attempt["TrainingJobName"], "train-error")
    jobs.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    described = jobs.ended("HyperParameterTuning", name)
    assert described[STATUS] == "Stopped"
    assert described["TrainingJobStatusCounters"]["Stopped"] == 2
    jobs.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    with pytest.raises(jobs.sagemaker.exceptions.ResourceNotFound):
        jobs.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_tuning_job_fails_if_all_training_jobs_fail(jobs: JobAccount) -> None:
    described = tune(jobs, config(max_jobs=2), {"silent": "1"})
    assert described[STATUS] == "Failed"
    assert described["FailureReason"].startswith("All training jobs failed.")
    assert described["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert "BestTrainingJob" not in described
    reasons = [item["FailureReason"] for item in attempts(jobs, described["HyperParameterTuningJobName"])]
    assert all("Extraneous hyperparameter found: silent" in reason for reason in reasons)


def test_no_objective_without_a_validation_channel(jobs: JobAccount) -> None:
    described = tune(jobs, config(max_jobs=1), InputDataConfig=[channel("train", "channels/train/")])
    assert described["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 1}
    assert described[STATUS] == "Failed"


def test_each_training_job_has_its_own_checkpoints(jobs: JobAccount) -> None:
    described = tune(jobs, config(max_jobs=2), CheckpointConfig={"S3Uri": f"s3://{BUCKET}/tuned/"})
    listed = jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="tuned/")["Contents"]
    folders = {item["Key"].split("/")[1] for item in listed}
    assert folders == {item["TrainingJobName"] for item in attempts(jobs, described["HyperParameterTuningJobName"])}


def test_tuning_jobs_are_listed(jobs: JobAccount) -> None:
    name = tune(jobs, config(max_jobs=1))["HyperParameterTuningJobName"]
    (listed,) = jobs.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    assert (listed["Strategy"], listed[STATUS]) == ("Random", "Completed")
    assert listed["TrainingJobStatusCounters"]["Completed"] == 1
    tags = jobs.sagemaker.list_tags(ResourceArn=listed["HyperParameterTuningJobArn"])["Tags"]
    assert tags == [{"Key": "verdict:stage", "Value": "dev"}]


def with_range(name: str, **changes: str) -> dict[str, Any]:
    return {"ParameterRanges": {"ContinuousParameterRanges": [
        {"Name": name, "MinValue": "0.1", "MaxValue": "0.9"} | changes
    ]}}  # fmt: skip


@pytest.mark.parametrize(
    ("tuning_config", "message"),
    [
        (config(**with_range("scale_pos_weight")), "[scale_pos_weight] are not tunable"),
        (config(**with_range("max_depth", MinValue="1", MaxValue="9")), "move it to IntegerParameterRanges"),
        (config(**with_range("eta", MaxValue="2")), "eta cannot be '2'"),
        (config(**with_range("eta", MinValue="0", ScalingType="Logarithmic")), "must start above 0"),
        (
            config(HyperParameterTuningJobObjective=LOGLOSS | {"Type": "Maximize"}),
            "The objective type Maximize does not match the metric validation:logloss",
        ),
        (
            config(HyperParameterTuningJobObjective=LOGLOSS | {"MetricName": "train:logloss"}),
            "train:logloss is not one that the algorithm emits",
        ),
        (config(max_jobs=None), "MaxNumberOfTrainingJobs is required"),
        (config("Grid"), "CategoricalParameterRanges only"),
        (
            config(max_jobs=5, ParameterRanges=GRID),
            "for the provided ranges [4.0] must be equal or greater than the value of MaxNumberOfJobs, [5]",
        ),
        (config("Grid", max_jobs=3, ParameterRanges=GRID), "tries all 4 combinations"),
        (config("Hyperband", TrainingJobEarlyStoppingType="Auto"), "must be Off for the strategy Hyperband"),
        (
            config(TuningJobCompletionCriteria={"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}),
            "not support ConvergenceDetected",
        ),
    ],
)
def test_invalid_request_starts_no_tuning_job(jobs: JobAccount, tuning_config: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        start(jobs, tuning_config)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]


def test_hyperparameter_is_either_static_or_tuned(jobs: JobAccount) -> None:
    with pytest.raises(ClientError, match=r"\[eta\] are both static and tuned"):
        start(jobs, config(), {"eta": "0.3"})


def test_parallel_training_jobs_must_fit_the_quota(jobs: JobAccount) -> None:
    with pytest.raises(jobs.sagemaker.exceptions.ResourceLimitExceeded, match="request delta of 5 Instances"):
        start(jobs, config(max_jobs=9, parallel=5))


def test_early_stopping_stops_jobs_worse_than_the_median(jobs: JobAccount) -> None:
    described = tune(jobs, config(max_jobs=8, parallel=1, RandomSeed=5, TrainingJobEarlyStoppingType="Auto"))
    assert described["TrainingJobStatusCounters"]["Stopped"] >= 1
    stopped = attempts(jobs, described["HyperParameterTuningJobName"], StatusEquals="Stopped")
    assert all(value(item) > value(described["BestTrainingJob"]) for item in stopped)


@pytest.mark.parametrize(("fault", "status"), [("fail", "Failed"), ("stuck", "InProgress")])
def test_injected_fault_affects_the_tuning_job(jobs: JobAccount, fault: str, status: str) -> None:
    jobs.account.aws.fault_injector.inject("CreateHyperParameterTuningJob", fault, times=1)
    name = start(jobs, config(max_jobs=1))
    described = jobs.reached("HyperParameterTuning", name, STATUS, status)
    assert sum(described["TrainingJobStatusCounters"].values()) == 0
    if status == "InProgress":
        jobs.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        assert jobs.ended("HyperParameterTuning", name)[STATUS] == "Stopped"
