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
    asked = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION} | more
    return str(account.sagemaker.create_model_package(**asked)["ModelPackageArn"])


def test_packages_of_a_group_are_numbered_and_keep_what_is_known_of_them(account: Account) -> None:
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


def test_approval_is_given_and_listed_by(account: Account) -> None:
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
    assert [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]] == [approved]


def test_a_group_goes_once_it_is_empty(account: Account) -> None:
    group = new_group(account)
    package = new_package(account, group)
    with pytest.raises(ClientError, match="ConflictException"):
        account.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    account.sagemaker.delete_model_package(ModelPackageName=package)
    account.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        account.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_groups_are_listed_and_a_name_is_given_once(account: Account) -> None:
    group = new_group(account)
    listed = account.sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert group in [one["ModelPackageGroupName"] for one in listed]
    with pytest.raises(ClientError, match="already exists"):
        account.sagemaker.create_model_package_group(ModelPackageGroupName=group)


def test_an_endpoint_serves_the_model_of_a_package(account: Account) -> None:
    package = new_package(account, new_group(account))
    model = account.model(PrimaryContainer={"ModelPackageName": package})
    described = account.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    assert described["ModelPackageName"] == package
    assert described["ModelDataUrl"] == f"s3://{BUCKET}/model.tar.gz"
