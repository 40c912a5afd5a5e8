"""Endpoint configurations and their validation."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.account import SERVERLESS, Account

INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def test_configuration_is_described_as_requested(account: Account) -> None:
    model = account.model()
    name = account.config({"ModelName": model, **INSTANCE})
    described = account.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert described["ProductionVariants"] == [
        {"VariantName": "AllTraffic", "ModelName": model, "InitialVariantWeight": 1.0, **INSTANCE}
    ]
    assert described["EndpointConfigArn"].endswith(f":endpoint-config/{name}")


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([{"ModelName": "absent", **SERVERLESS}], "Could not find model"),
        ([{**SERVERLESS, **INSTANCE}], "either InstanceType"),
        ([{}], "either InstanceType"),
        ([{"InstanceType": "ml.m5.large"}], "both InstanceType"),
        ([{"InstanceType": "ml.t3.medium", "InitialInstanceCount": 1}], "ml.t3.medium"),
        ([{"VariantName": "A", **SERVERLESS}, {"VariantName": "B", **SERVERLESS}], "exactly one"),
        ([INSTANCE, INSTANCE], "unique"),
        ([{"ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}], "1024, 2048"),
    ],
)
def test_invalid_variants_are_refused(account: Account, variants: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        account.config(*variants)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_data_capture_is_refused_and_not_ignored(account: Account) -> None:
    with pytest.raises(ClientError, match="does not support DataCaptureConfig"):
        account.sagemaker.create_endpoint_config(
            EndpointConfigName="capturing",
            ProductionVariants=[{"VariantName": "A", "ModelName": account.model(), **SERVERLESS}],
            DataCaptureConfig={
                "InitialSamplingPercentage": 1,
                "DestinationS3Uri": "s3://verdict-hosting/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
        )


def test_duplicate_and_absent_configurations_are_refused(account: Account) -> None:
    name = account.config()
    with pytest.raises(ClientError, match="Cannot create already existing endpoint configuration"):
        account.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{"VariantName": "A", "ModelName": account.model(), **SERVERLESS}],
        )
    account.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    listed = account.sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert name not in [item["EndpointConfigName"] for item in listed]
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        account.sagemaker.describe_endpoint_config(EndpointConfigName=name)


def test_configuration_in_deployment_cannot_be_deleted(account: Account) -> None:
    account.aws.fault_injector.inject("CreateEndpoint", "stuck", 1)
    config = account.config()
    endpoint = account.start_endpoint(config)
    with pytest.raises(ClientError, match="in-progress endpoint"):
        account.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    account.delete(endpoint)
    account.sagemaker.delete_endpoint_config(EndpointConfigName=config)
