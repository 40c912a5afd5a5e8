"""Models and their validation."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.account import BUCKET, SERVERLESS, Account
from training.model.container_image import image_uri

ARCHIVE = f"s3://{BUCKET}/model.tar.gz"


def refusal(account: Account, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        account.model(**changes)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_model_is_described_as_requested(account: Account) -> None:
    name = account.model()
    described = account.sagemaker.describe_model(ModelName=name)
    assert described["PrimaryContainer"] == {
        "Image": image_uri("us-east-1"),
        "ModelDataUrl": ARCHIVE,
        "Mode": "SingleModel",
    }
    assert described["ExecutionRoleArn"] == account.role
    assert described["ModelArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:model/{name}"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("busybox:latest", "Using non-ECR image"),
        (image_uri("eu-west-1"), "not found"),
        (image_uri("us-east-1", "1"), "not found"),
    ],
)
def test_image_of_another_region_is_refused(account: Account, image: str, message: str) -> None:
    container = {"Image": image, "ModelDataUrl": ARCHIVE}
    code, described = refusal(account, PrimaryContainer=container)
    assert code == "ValidationException"
    assert message in described
    assert image in described


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"s3://{BUCKET}/nothing.tar.gz", f"Could not find model data at s3://{BUCKET}/nothing.tar.gz."),
        (f"s3://{BUCKET}/model.zip", "Invalid ModelDataUrl"),
        ("https://example.com/model.tar.gz", "Invalid ModelDataUrl"),
    ],
)
def test_absent_archive_is_refused(account: Account, url: str, message: str) -> None:
    code, described = refusal(account, url=url)
    assert code == "ValidationException"
    assert message in described


def test_absent_role_is_refused(account: Account) -> None:
    arn = "arn:aws:iam::123456789012:role/nobody"
    assert refusal(account, ExecutionRoleArn=arn) == (
        "ValidationException",
        f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    )


def test_role_that_only_lambda_can_assume_is_refused(account: Account) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam = account.aws.client("iam")
    role = iam.create_role(RoleName="only-lambda", AssumeRolePolicyDocument=policy)["Role"]
    assert "Could not assume role" in refusal(account, ExecutionRoleArn=role["Arn"])[1]


def test_unsupported_settings_are_refused_and_not_ignored(account: Account) -> None:
    container = {"Image": image_uri("us-east-1"), "ModelDataUrl": ARCHIVE}
    chosen = container | {"Environment": {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label"}}
    assert "SAGEMAKER_INFERENCE_OUTPUT" in refusal(account, PrimaryContainer=chosen)[1]
    script = container | {"Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    assert "not with your own script" in refusal(account, PrimaryContainer=script)[1]


def test_the_only_entry_of_containers_is_the_models_container(account: Account) -> None:
    container = {"Image": image_uri("us-east-1"), "ModelDataUrl": ARCHIVE}
    request = {"ModelName": account.new_name(), "ExecutionRoleArn": account.role}
    account.sagemaker.create_model(**request, Containers=[container])
    described = account.sagemaker.describe_model(ModelName=request["ModelName"])
    assert described["Containers"] == [{**container, "Mode": "SingleModel"}]
    variant = {"ModelName": request["ModelName"], "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    assert account.invoke(account.endpoint(variant))[1] == "AllTraffic"
    request["ModelName"] = account.new_name()
    with pytest.raises(ClientError, match="one container"):
        account.sagemaker.create_model(**request, Containers=[container, container])


def test_a_compressed_object_may_be_named_as_a_source(account: Account) -> None:
    source = {"S3Uri": ARCHIVE, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    container = {"Image": image_uri("us-east-1"), "ModelDataSource": {"S3DataSource": source}}
    variant = {"ModelName": account.model(PrimaryContainer=container)}
    variant |= {"InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    assert account.invoke(account.endpoint(variant))[1] == "AllTraffic"
    prefix = {**source, "S3DataType": "S3Prefix", "CompressionType": "None"}
    with pytest.raises(ClientError, match="one container"):
        account.model(PrimaryContainer={**container, "ModelDataSource": {"S3DataSource": prefix}})


@pytest.mark.parametrize(
    "image",
    [
        image_uri("us-east-1", "1.7-1"),
        image_uri("us-east-1", "1.2-1"),
        image_uri("us-east-1", "0.90-2-cpu-py3"),
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest",
    ],
)
def test_an_older_image_is_served_with_a_warning(account: Account, image: str) -> None:
    model = account.model(PrimaryContainer={"Image": image, "ModelDataUrl": ARCHIVE})
    endpoint = account.endpoint({"ModelName": model, **SERVERLESS})
    warning, *_ = account.log(endpoint).splitlines()
    assert (
        warning == f"WARNING: the simulator runs the image {image.rpartition('/')[2]} with xgboost 3.0.5, as in 3.0-5."
    )


def test_an_image_that_is_not_there_is_refused_with_those_that_are(account: Account) -> None:
    container = {"Image": image_uri("us-east-1", "9.9-9"), "ModelDataUrl": ARCHIVE}
    assert "The simulator has sagemaker-xgboost 3.0-5, 3.2-0" in refusal(account, PrimaryContainer=container)[1]


def test_duplicate_model_name_is_refused(account: Account) -> None:
    name = account.model()
    assert "Cannot create already existing model" in refusal(account, ModelName=name)[1]


def test_models_are_listed_in_pages_and_can_be_deleted(account: Account) -> None:
    names = [account.model() for _ in range(3)]
    pages = account.sagemaker.get_paginator("list_models").paginate(PaginationConfig={"PageSize": 2})
    assert set(names) <= {model["ModelName"] for page in pages for model in page["Models"]}
    account.sagemaker.delete_model(ModelName=names[0])
    with pytest.raises(ClientError, match="Could not find model"):
        account.sagemaker.describe_model(ModelName=names[0])
