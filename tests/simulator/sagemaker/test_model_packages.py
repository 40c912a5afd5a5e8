"""Model package groups and versioned packages."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.account import BUCKET, Account
from training.model.container_image import image_uri

SPECIFICATION = {
    "Containers": [{"Image": image_uri("us-east-1"), "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}],
    "SupportedContentTypes": ["text/libsvm"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def new_group(account: Account) -> str:
    name = account.new_name()
    account.sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="verdicts")
    return name


def new_package(account: Account, group: str, **more: Any) -> str:
    request = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION} | more
    return str(account.sagemaker.create_model_package(**request)["ModelPackageArn"])


def test_packages_are_numbered_and_keep_their_metadata(account: Account) -> None:
    group = new_group(account)
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/m.json"}}}
    first = new_package(account, group, CustomerMetadataProperties={"release": "a"}, ModelMetrics=metrics)
    account.sagemaker.delete_model_package(ModelPackageName=first)
    second = new_package(account, group, CustomerMetadataProperties={"release": "b"}, ModelMetrics=metrics)
    assert second.endswith(f":model-package/{group}/2")
    described = account.sagemaker.describe_model_package(ModelPackageName=second)
    assert (described["ModelPackageVersion"], described["ModelPackageStatus"]) == (2, "Completed")
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["InferenceSpecification"] == SPECIFICATION
    assert described["ModelMetrics"] == metrics
    with pytest.raises(ClientError, match="does not exist"):
        account.sagemaker.describe_model_package(ModelPackageName=first)


def test_packages_are_approved_and_listed_by_approval(account: Account) -> None:
    group = new_group(account)
    approved, _ = new_package(account, group), new_package(account, group)
    account.sagemaker.update_model_package(
        ModelPackageArn=approved,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"by": "me"},
    )
    described = account.sagemaker.describe_model_package(ModelPackageName=approved)
    assert (described["ApprovalDescription"], described["CustomerMetadataProperties"]) == ("good", {"by": "me"})
    listed = account.sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [item["ModelPackageArn"] for item in listed["ModelPackageSummaryList"]] == [approved]


def test_only_an_empty_group_can_be_deleted(account: Account) -> None:
    group = new_group(account)
    package = new_package(account, group)
    with pytest.raises(ClientError, match="ConflictException"):
        account.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    account.sagemaker.delete_model_package(ModelPackageName=package)
    account.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        account.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_groups_are_listed_and_duplicate_names_refused(account: Account) -> None:
    group = new_group(account)
    listed = account.sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert group in [item["ModelPackageGroupName"] for item in listed]
    with pytest.raises(ClientError, match="already exists"):
        account.sagemaker.create_model_package_group(ModelPackageGroupName=group)


def test_model_is_created_from_a_package(account: Account) -> None:
    package = new_package(account, new_group(account))
    model = account.model(PrimaryContainer={"ModelPackageName": package})
    described = account.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    assert described["ModelPackageName"] == package
    assert described["ModelDataUrl"] == f"s3://{BUCKET}/model.tar.gz"
