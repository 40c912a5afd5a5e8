"""The Search operation, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.job_account import JobAccount

SHORT = {"num_round": "3", "early_stopping_rounds": "", "eta": "0.25"}


def names(jobs: JobAccount, *filters: dict[str, Any], **more: Any) -> list[str]:
    """Return the names of the training jobs that satisfy filters, given as Name, Operator and Value."""
    expression = {"SearchExpression": {"Filters": list(filters)}} if filters else {}
    found = jobs.sagemaker.search(Resource="TrainingJob", **expression, **more)
    return [result["TrainingJob"]["TrainingJobName"] for result in found["Results"]]


def where(name: str, operator: str = "", value: str = "") -> dict[str, Any]:
    """Return a filter."""
    return {"Name": name, **({"Operator": operator} if operator else {}), **({"Value": value} if value else {})}


@pytest.fixture
def pair(jobs: JobAccount) -> tuple[str, str]:
    """Two completed training jobs of a project of their own, the second one with a larger eta."""
    hyperparameters = {key: value for key, value in (jobs.hyperparameters | SHORT).items() if value}
    tags = [{"Key": "project.name", "Value": jobs.account.new_name()}]
    jobs.hyperparameters = hyperparameters
    first, second = jobs.start(Tags=tags), jobs.start({"eta": "0.75"}, Tags=tags)
    for name in (first, second):
        assert jobs.ended("Training", name)["TrainingJobStatus"] == "Completed"
    return first, second


def of_pair(jobs: JobAccount, pair: tuple[str, str]) -> dict[str, Any]:
    """Return the filter for a pair's tag."""
    arn = jobs.sagemaker.describe_training_job(TrainingJobName=pair[0])["TrainingJobArn"]
    (tag,) = jobs.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    return where(f"Tags.{tag['Key']}", value=tag["Value"])


def test_training_jobs_are_found_by_their_properties(jobs: JobAccount, pair: tuple[str, str]) -> None:
    first, second = pair
    both, tag = set(pair), of_pair(jobs, pair)
    assert set(names(jobs, tag)) == both
    assert names(jobs, tag, where("HyperParameters.eta", "LessThan", "0.5")) == [first]
    assert names(jobs, tag, where("HyperParameters.eta", "GreaterThanOrEqualTo", "0.75")) == [second]
    assert set(names(jobs, tag, where("HyperParameters.eta", "Equals", "0"))) == both  # compared as integers
    assert names(jobs, tag, where("TrainingJobName", "Contains", second[-4:])) == [second]
    assert names(jobs, tag, where("TrainingJobName", "In", f"{first}, other")) == [first]
    assert names(jobs, tag, where("TrainingJobName", "NotEquals", first)) == [second]
    assert set(names(jobs, tag, where("InputDataConfig.ChannelName", "Equals", "train"))) == both
    assert names(jobs, tag, where("CreationTime", "LessThan", "2020-01-01T00:00:00")) == []
    assert set(names(jobs, tag, where("CreationTime", "GreaterThan", "2020-01-01T00:00:00"))) == both
    assert names(jobs, tag, where("TuningJobArn", "Exists")) == []
    assert set(names(jobs, tag, where("TuningJobArn", "NotExists"))) == both
    assert set(names(jobs, tag, where("Metrics.train:error", "LessThan", "1"))) == both


def test_results_are_sorted_and_in_pages(jobs: JobAccount, pair: tuple[str, str]) -> None:
    first, second = pair
    by_eta = {"SortBy": "HyperParameters.eta", "SortOrder": "Ascending"}
    assert names(jobs, of_pair(jobs, pair), **by_eta) == [first, second]
    assert names(jobs, of_pair(jobs, pair), SortBy="CreationTime") == [second, first]
    expression = {"Filters": [of_pair(jobs, pair)]}
    request = {"Resource": "TrainingJob", "SearchExpression": expression, "MaxResults": 1, **by_eta}
    page = jobs.sagemaker.search(**request)
    assert page["TotalHits"] == {"Value": 2, "Relation": "EqualTo"}
    pages = jobs.sagemaker.get_paginator("search").paginate(**request)
    assert [len(each["Results"]) for each in pages] == [1, 1]


def test_expressions_are_combined_and_nested(jobs: JobAccount, pair: tuple[str, str]) -> None:
    def search(**expression: Any) -> set[str]:
        found = jobs.sagemaker.search(Resource="TrainingJob", SearchExpression=expression)["Results"]
        return {result["TrainingJob"]["TrainingJobName"] for result in found}

    either = {"Operator": "Or", "Filters": [where("TrainingJobName", "Equals", name) for name in pair]}
    assert search(**either) == set(pair)
    small = {"Filters": [where("HyperParameters.eta", "LessThan", "0.5")]}
    assert search(SubExpressions=[either, small]) == {pair[0]}
    uri = "InputDataConfig.DataSource.S3DataSource.S3Uri"
    channel = where("InputDataConfig.ChannelName", "Equals", "train")
    for folder, expected in (("channels/train/", set(pair)), ("channels/validation", set())):
        nested = {"NestedPropertyName": "InputDataConfig", "Filters": [channel, where(uri, "Contains", folder)]}
        assert search(SubExpressions=[either], NestedFilters=[nested]) == expected


def test_a_record_has_the_description_and_the_tags(jobs: JobAccount, pair: tuple[str, str]) -> None:
    described = jobs.sagemaker.describe_training_job(TrainingJobName=pair[0])
    (result,) = jobs.sagemaker.search(
        Resource="TrainingJob", SearchExpression={"Filters": [where("TrainingJobName", "Equals", pair[0])]}
    )["Results"]
    record = result["TrainingJob"]
    assert record.pop("Tags")
    assert record.items() <= described.items()
    assert {"HyperParameters", "ModelArtifacts", "FinalMetricDataList"} <= record.keys()


def test_other_resources_are_found_too(jobs: JobAccount) -> None:
    group = jobs.account.new_name()
    jobs.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    filters = {"Filters": [where("ModelPackageGroupName", "Equals", group)]}
    (found,) = jobs.sagemaker.search(Resource="ModelPackageGroup", SearchExpression=filters)["Results"]
    assert found["ModelPackageGroup"]["ModelPackageGroupStatus"] == "Completed"
    for resource in ("ModelPackage", "Endpoint", "HyperParameterTuningJob", "Experiment"):
        assert jobs.sagemaker.search(Resource=resource)["Results"] == []


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([], "at least one filter"),
        ([where("Colour", "Equals", "blue")], "Unknown property name: Colour"),
        ([where("TrainingJobName", "LessThan", "x")], "not supported for text"),
        ([where("RoleArn", "Contains", "x"), where("TrainingJobName", "Contains", "x")], "usage limit of 1"),
    ],
)
@pytest.mark.usefixtures("pair")
def test_an_invalid_expression_is_refused(jobs: JobAccount, filters: list[dict[str, Any]], message: str) -> None:
    expression: dict[str, Any] = {"Filters": filters} if filters else {"Operator": "And"}
    with pytest.raises(ClientError, match=message):
        jobs.sagemaker.search(Resource="TrainingJob", SearchExpression=expression)
