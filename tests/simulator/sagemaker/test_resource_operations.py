"""Tags of resources."""

import pytest
from botocore.exceptions import ClientError

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
