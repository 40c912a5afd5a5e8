"""Mishaps of what moto answers for, as boto3 understands them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.aws import SimulatedAws

ROLE = {"RoleName": "any", "AssumeRolePolicyDocument": "{}"}
FUNCTION = {
    "FunctionName": "any",
    "Role": "arn:aws:iam::123456789012:role/any",
    "Code": {"ZipFile": b"zip"},
    "Runtime": "python3.12",
    "Handler": "app.app",
}
ALARM = {"AlarmName": "any", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
OBJECT = {"Bucket": "bucket-any", "Key": "key"}
ASKED: list[tuple[str, str, Callable[[Any], Any], str]] = [
    ("s3", "PutObject", lambda s3: s3.put_object(**OBJECT, Body=b"any"), "AccessDenied"),
    ("s3", "CreateBucket", lambda s3: s3.create_bucket(Bucket="bucket-any"), "AccessDenied"),
    ("s3", "CreateMultipartUpload", lambda s3: s3.create_multipart_upload(**OBJECT), "AccessDenied"),
    ("s3", "UploadPart", lambda s3: s3.upload_part(**OBJECT, UploadId="a", PartNumber=1, Body=b""), "AccessDenied"),
    ("s3", "ListObjectsV2", lambda s3: s3.list_objects_v2(Bucket="bucket-any"), "AccessDenied"),
    ("s3", "GetBucketLocation", lambda s3: s3.get_bucket_location(Bucket="bucket-any"), "AccessDenied"),
    ("s3", "ListBuckets", lambda s3: s3.list_buckets(), "AccessDenied"),
    ("iam", "CreateRole", lambda iam: iam.create_role(**ROLE), "AccessDenied"),
    ("sts", "GetCallerIdentity", lambda sts: sts.get_caller_identity(), "AccessDenied"),
    ("logs", "CreateLogGroup", lambda logs: logs.create_log_group(logGroupName="any"), "AccessDeniedException"),
    ("cloudwatch", "PutMetricAlarm", lambda watch: watch.put_metric_alarm(**ALARM), "AccessDeniedException"),
    ("lambda", "CreateFunction", lambda function: function.create_function(**FUNCTION), "AccessDeniedException"),
    ("apigateway", "ImportRestApi", lambda gateway: gateway.import_rest_api(body=b"{}"), "AccessDeniedException"),
    (
        "service-quotas",
        "ListServiceQuotas",
        lambda quotas: quotas.list_service_quotas(ServiceCode="sagemaker"),
        "AccessDeniedException",
    ),
]


@pytest.mark.parametrize(("service", "operation", "ask", "code"), ASKED, ids=[asked[1] for asked in ASKED])
def test_injected_error_follows_the_protocol_of_the_service(
    simulated_aws: SimulatedAws, service: str, operation: str, ask: Callable[[Any], Any], code: str
) -> None:
    simulated_aws.fault_injector.inject(operation, "denied", times=1)
    with pytest.raises(ClientError, match=f"not authorized to perform: .*:{operation} on") as caught:
        ask(simulated_aws.client(service))
    assert caught.value.response["Error"]["Code"] == code
    assert not simulated_aws.fault_injector.active


def test_throttled_s3_request_is_retried(simulated_aws: SimulatedAws) -> None:
    simulated_aws.fault_injector.inject("ListBuckets", "throttled", times=1)
    answer = simulated_aws.client("s3").list_buckets()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_fault_affects_only_its_operation(simulated_aws: SimulatedAws) -> None:
    simulated_aws.fault_injector.inject("PutObject", "denied")
    simulated_aws.client("s3").create_bucket(Bucket="bucket-left-alone")
    assert simulated_aws.fault_injector.active == {"PutObject": "denied"}
