"""Descriptions and tags of resources."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.sagemaker.backend import ResourceKind, SimulatedResource
from simulator.sagemaker.hosting.models import MODEL
from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from simulator.sagemaker.jobs.tuning_run import TUNING_JOB
from simulator.sagemaker.resource_operations import page, resource_operations
from tests.simulator.sagemaker.account import Account


def test_tags_are_added_changed_listed_and_deleted(account: Account) -> None:
    model = account.model(Tags=[{"Key": "verdict:stage", "Value": "dev"}])
    arn = account.sagemaker.describe_model(ModelName=model)["ModelArn"]
    account.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "verdict:stage", "Value": "prod"}, {"Key": "a", "Value": ""}]
    )
    assert account.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "verdict:stage", "Value": "prod"},
        {"Key": "a", "Value": ""},
    ]
    account.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["verdict:stage", "absent"])
    assert account.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": ""}]


def test_resource_has_at_most_fifty_tags_and_none_once_deleted(account: Account) -> None:
    model = account.model()
    arn = account.sagemaker.describe_model(ModelName=model)["ModelArn"]
    account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one more", "Value": ""}])
    account.sagemaker.delete_model(ModelName=model)
    with pytest.raises(ClientError, match="ValidationException"):
        account.sagemaker.list_tags(ResourceArn=arn)


def test_responses_contain_only_members_of_the_service_model(account: Account) -> None:
    backend, name = account.aws.backend(), account.new_name()
    backend.create(MODEL, {"ModelName": name}, Invented=True)
    operations = resource_operations(MODEL)
    assert operations["DescribeModel"](backend, {"ModelName": name}).keys() == {"ModelName", "ModelArn", "CreationTime"}
    (summary,) = operations["ListModels"](backend, {"NameContains": name})["Models"]
    assert summary.keys() == {"ModelName", "ModelArn", "CreationTime"}
    operations["DeleteModel"](backend, {"ModelName": name})


def test_lists_are_filtered_before_pages_are_cut(account: Account) -> None:
    backend, operations = account.aws.backend(), resource_operations(MODEL)
    names = [f"{prefix}-{account.new_name()}" for prefix in ("paged", "other", "paged", "other", "paged")]
    for name in names:
        backend.create(MODEL, {"ModelName": name})
    request = {"NameContains": "paged-", "MaxResults": 2, "SortBy": "Name", "SortOrder": "Ascending"}
    first = operations["ListModels"](backend, request)
    last = operations["ListModels"](backend, request | {"NextToken": first["NextToken"]})
    assert [model["ModelName"] for page in (first, last) for model in page["Models"]] == sorted(names[::2])
    assert "NextToken" not in last


@pytest.mark.parametrize(
    ("operation", "kind", "ordered"),
    [
        ("ListModels", MODEL, ["a", "c", "b"]),  # newest first
        ("ListTrainingJobs", TRAINING_JOB, ["b", "c", "a"]),  # oldest first
        ("ListHyperParameterTuningJobs", TUNING_JOB, ["a", "b", "c"]),  # by name
    ],
)
def test_default_order_is_that_of_the_operation(operation: str, kind: ResourceKind, ordered: list[str]) -> None:
    resources = [resource(kind, name, seconds) for seconds, name in enumerate("bca")]
    listed = page(operation, {}, resources, lambda found: found.facts)
    assert [item[kind.name_member] for item in next(iter(listed.values()))] == ordered


def test_lists_are_filtered_by_the_last_change_and_sorted_by_status() -> None:
    jobs = [resource(TRAINING_JOB, name, seconds) for seconds, name in enumerate("abc")]
    for job, status in zip(jobs, ("Stopped", "Completed", "Failed"), strict=True):
        job.facts["TrainingJobStatus"] = status

    def names(**request: Any) -> list[str]:
        found = page("ListTrainingJobs", request, jobs, lambda job: job.facts)["TrainingJobSummaries"]
        return [job["TrainingJobName"] for job in found]

    assert names(LastModifiedTimeAfter=1) == ["b", "c"]
    assert names(LastModifiedTimeBefore=1) == ["a", "b"]
    assert names(SortBy="Status") == ["b", "c", "a"]
    assert names(WarmPoolStatusEquals="Available") == []


def resource(kind: ResourceKind, name: str, seconds: int) -> SimulatedResource:
    facts = {kind.name_member: name, "CreationTime": datetime.fromtimestamp(seconds, UTC)}
    return SimulatedResource(kind, name, name, facts)
