"""The endpoint as boto3 meets it: a real client, over the wire, on loopback."""

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib import release
from training.simulator.server import LocalEndpoint

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


def client_of(endpoint: LocalEndpoint, attempts: int = 1) -> "SageMakerRuntimeClient":
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=5),
    )


def row(review: str) -> bytes:
    return release.load().vocabulary.row(review.split()).encode()


def test_a_praising_review_scores_above_a_panning_one(local_endpoint: LocalEndpoint) -> None:
    body = b"\n".join([row("a wonderful film"), row("the worst waste of time")])
    answer = client_of(local_endpoint).invoke_endpoint(EndpointName=local_endpoint.name, Body=body)
    praise, pan = map(float, answer["Body"].read().split())
    assert 0 < pan < 0.5 < praise < 1


def test_an_answer_names_its_variant_content_type_and_request(local_endpoint: LocalEndpoint) -> None:
    answer = client_of(local_endpoint).invoke_endpoint(EndpointName=local_endpoint.name, Body=row("fine"))
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


def test_an_endpoint_of_another_vocabulary_is_not_found(local_endpoint: LocalEndpoint) -> None:
    with pytest.raises(ClientError) as caught:
        client_of(local_endpoint).invoke_endpoint(EndpointName="verdict-dev-000000000000", Body=b"0:1")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert "verdict-dev-000000000000 of account 000000000000 not found" in str(caught.value)
