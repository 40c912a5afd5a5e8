"""Resources of somebody else with names like ours, and a list of all resources that does not look at tags."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import bucket, names, role
from operations.aws.command import Aws
from tests.operations.apps import LOGGING, TRUST
from tests.operations.existing import create_model

_FINGERPRINT = "aaaaaaaaaaaa"
_RUNNING: dict[str, Any] = {"StatusEquals": "InProgress"}
_LISTS: list[tuple[str, str, str, str, dict[str, Any]]] = [  # service, operation, member, name, parameters
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointName", {}),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", {}),
    ("sagemaker", "list_models", "Models", "ModelName", {}),
    ("sagemaker", "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", _RUNNING),
    ("sagemaker", "list_transform_jobs", "TransformJobSummaries", "TransformJobName", _RUNNING),
    (
        "sagemaker",
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJobName",
        _RUNNING,
    ),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName", {}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", {}),
    ("logs", "describe_log_groups", "logGroups", "logGroupName", {}),
    ("lambda", "list_functions", "Functions", "FunctionName", {}),
    ("apigateway", "get_rest_apis", "items", "id", {}),
    ("s3", "list_buckets", "Buckets", "Name", {}),
    ("iam", "list_roles", "Roles", "RoleName", {}),
    (
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        "ResourceId",
        {"ServiceNamespace": "sagemaker"},
    ),
]
_SHARED_LOGS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")  # groups of all jobs of an account
_HOURLY = ("EndpointName", "TrainingJobName", "TransformJobName", "HyperParameterTuningJobName")


def everything(aws: Aws) -> set[tuple[str, str]]:
    """Return the kind and the name of every resource in the account, of anybody."""
    found = {("TableName", name) for name in _pages(aws, "dynamodb", "list_tables", "TableNames", {})}
    for service, operation, member, name, parameters in _LISTS:
        found |= {(name, item[name]) for item in _pages(aws, service, operation, member, parameters)}
    return {(kind, name) for kind, name in found if name not in _SHARED_LOGS}


def billed_by_the_hour(aws: Aws) -> set[tuple[str, str]]:
    """Return the kind and the name of every endpoint and running job, of anybody."""
    return {
        (name, item[name])
        for service, operation, member, name, parameters in _LISTS
        if name in _HOURLY
        for item in _pages(aws, service, operation, member, parameters)
    }


def _pages(aws: Aws, service: str, operation: str, member: str, parameters: dict[str, Any]) -> list[Any]:
    client = aws.account.client(service)
    if not client.can_paginate(operation):
        return list(getattr(client, operation)(**parameters)[member])
    return [item for page in client.get_paginator(operation).paginate(**parameters) for item in page[member]]


def strange_endpoint(stage: str) -> str:
    """Return the name of somebody else's endpoint in a stage."""
    return names.endpoint(stage, _FINGERPRINT)


def create_strangers(aws: Aws, stage: str) -> set[tuple[str, str]]:
    """Create somebody else's resources with names like those of a stage, and return their kinds and names."""
    ours = create_model(aws, stage)
    before = everything(aws)
    _create_endpoint(aws, stage, aws.account.client("sagemaker").describe_model(ModelName=ours)["PrimaryContainer"])
    _create_others(aws, stage)
    aws.account.client("sagemaker").delete_model(ModelName=ours)
    return everything(aws) - before


def _create_endpoint(aws: Aws, stage: str, container: dict[str, Any]) -> None:
    """Create an endpoint named like ours with its configuration and model, and one of a stage `w` with our prefix."""
    sagemaker, name = aws.account.client("sagemaker"), strange_endpoint(stage)
    variant = {"VariantName": "v1", "ModelName": f"{name}-0123abcd-89abcdef", "InitialVariantWeight": 1.0}
    hosting = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
    sagemaker.create_model(
        ModelName=variant["ModelName"], ExecutionRoleArn=role.require(aws.account), PrimaryContainer=container
    )
    for endpoint in (name, f"verdict-of-{stage}"):
        sagemaker.create_endpoint_config(EndpointConfigName=f"{endpoint}-1", ProductionVariants=[variant | hosting])
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-1")


def _create_others(aws: Aws, stage: str) -> None:
    """Create a table, an alarm, log groups, packages, a bucket with an object and a role, without our tag."""
    aws.account.client("dynamodb").create_table(
        TableName=f"verdict-{stage}x-feedback",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    endpoint = strange_endpoint(stage)
    aws.account.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{endpoint}-release-failures",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    for group in (f"/aws/sagemaker/Endpoints/{endpoint}", f"/aws/lambda/verdict-{stage}x"):
        with suppress(ClientError):  # the endpoint has created its own
            aws.account.client("logs").create_log_group(logGroupName=group)
    aws.account.client("sagemaker").create_model_package_group(ModelPackageGroupName=f"verdict-{stage}x-releases")
    s3 = aws.account.client("s3")
    s3.create_bucket(Bucket=f"{bucket.bucket_name(aws.account)}-of-{stage}")
    s3.put_object(Bucket=f"{bucket.bucket_name(aws.account)}-of-{stage}", Key="verdict/releases/x", Body=b"kept")
    iam = aws.account.client("iam")
    iam.create_role(RoleName=f"verdict-{stage}x-api_handler", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=f"verdict-{stage}x-api_handler", PolicyName="own", PolicyDocument=json.dumps(LOGGING))


def delete_created(aws: Aws, before: set[tuple[str, str]]) -> None:
    """Delete what was created since `before` outside of SageMaker, whose simulator ends with a module of tests."""
    client = aws.account.client
    deletions: dict[str, Callable[[str], object]] = {
        "TableName": lambda name: client("dynamodb").delete_table(TableName=name),
        "AlarmName": lambda name: client("cloudwatch").delete_alarms(AlarmNames=[name]),
        "logGroupName": lambda name: client("logs").delete_log_group(logGroupName=name),
        "FunctionName": lambda name: client("lambda").delete_function(FunctionName=name),
        "id": lambda name: client("apigateway").delete_rest_api(restApiId=name),
        "Name": lambda name: _delete_bucket(aws, name),
        "RoleName": lambda name: _delete_role(aws, name),
    }
    for kind, name in everything(aws) - before:
        if kind in deletions and name != bucket.bucket_name(aws.account):
            deletions[kind](name)


def _delete_bucket(aws: Aws, name: str) -> None:
    """Delete a bucket with its objects."""
    s3 = aws.account.client("s3")
    for found in s3.list_objects_v2(Bucket=name).get("Contents", ()):
        s3.delete_object(Bucket=name, Key=found["Key"])
    s3.delete_bucket(Bucket=name)


def _delete_role(aws: Aws, name: str) -> None:
    """Delete a role with its policies."""
    iam = aws.account.client("iam")
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)
