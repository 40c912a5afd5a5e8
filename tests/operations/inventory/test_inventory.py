"""The inventory is read from AWS, and only tagged resources are ours."""

from datetime import UTC, datetime

import pytest

from operations.aws import bucket, names
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.resources import Kind
from simulator.aws import SimulatedAws
from tests.operations.existing import create_endpoint, create_model


def test_an_endpoint_is_found_with_its_variants_price_and_expiry(aws: Aws) -> None:
    name = create_endpoint(aws, "found", instances=1, weights=(0.9, 0.1), expires="2026-11-25T04:00:00Z")
    (endpoint,) = inventory.take(aws.account, "found").of(Kind.ENDPOINT)
    assert (endpoint.name, endpoint.stage, endpoint.state) == (name, "found", "InService")
    assert endpoint.release.startswith("0123456789ab-")
    assert endpoint.expires == datetime(2026, 11, 25, 4, tzinfo=UTC)
    assert endpoint.price.usd_per_hour == pytest.approx(2 * 0.115)
    weights = {variant.name: (variant.weight, variant.count, variant.instance_type) for variant in endpoint.variants}
    assert weights == {"v1": (pytest.approx(0.9), 1, "ml.m5.large"), "v2": (pytest.approx(0.1), 1, "ml.m5.large")}
    assert all(variant.model.startswith("verdict-found-0123456789ab-") for variant in endpoint.variants)


def test_a_serverless_endpoint_costs_nothing_by_the_hour(aws: Aws) -> None:
    create_endpoint(aws, "idle")
    found = inventory.take(aws.account, "idle")
    (endpoint,) = found.of(Kind.ENDPOINT)
    assert not endpoint.is_hourly
    assert endpoint.variants[0].memory_mb == 2048
    assert found.hourly_price.usd_per_hour == 0


def test_an_endpoint_that_is_still_creating_is_priced_once(aws: Aws, simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "stuck", times=1)
    create_endpoint(aws, "early", instances=1, wait=False)
    (endpoint,) = inventory.take(aws.account, "early").of(Kind.ENDPOINT)
    assert endpoint.state == "Creating"
    assert endpoint.price.usd_per_hour == pytest.approx(0.115)


def test_an_untagged_resource_with_our_prefix_is_not_ours(aws: Aws) -> None:
    model = create_model(aws, "mine")
    described = aws.account.client("sagemaker").describe_model(ModelName=model)
    aws.account.client("sagemaker").create_model(
        ModelName="verdict-mine-of-somebody-else",
        ExecutionRoleArn=described["ExecutionRoleArn"],
        PrimaryContainer=described["PrimaryContainer"],
    )
    found = inventory.take(aws.account, "mine")
    assert [resource.name for resource in found.of(Kind.MODEL)] == [model]
    assert found.untagged == ("model verdict-mine-of-somebody-else",)


def test_a_stage_does_not_include_stages_that_begin_with_its_name(aws: Aws) -> None:
    create_model(aws, "prod")
    create_model(aws, "prod2")
    assert [resource.stage for resource in inventory.take(aws.account, "prod").of(Kind.MODEL)] == ["prod"]
    both = [resource.stage for resource in inventory.take(aws.account).of(Kind.MODEL)]
    assert {"prod", "prod2"} <= set(both)


def test_autoscaling_alarms_and_logs_of_an_endpoint_are_found(aws: Aws) -> None:
    name = create_endpoint(aws, "around", instances=1)
    aws.account.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{name}/variant/v1",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=3,
    )
    aws.account.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-v1-failures",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1.0,
        Period=60,
        Statistic="Sum",
        Tags=names.tags("around"),
    )
    logs = aws.account.client("logs")
    for group in (f"/aws/sagemaker/Endpoints/{name}", "/aws/sagemaker/Endpoints/verdict-around-test-bench"):
        try:
            logs.create_log_group(logGroupName=group)
        except logs.exceptions.ResourceAlreadyExistsException:
            continue
    bucket.put_bytes(aws.account, "transform/verdict-around-test-1234abcd/input/rows.libsvm", b"0:1\n")
    found = inventory.take(aws.account, "around")
    assert [(resource.name, resource.state) for resource in found.of(Kind.SCALABLE_TARGET)] == [
        (f"endpoint/{name}/variant/v1", "1 to 3")
    ]
    assert [resource.name for resource in found.of(Kind.ALARM)] == [f"{name}-v1-failures"]
    assert [resource.name for resource in found.of(Kind.LOG_GROUP)] == [f"/aws/sagemaker/Endpoints/{name}"]
    assert [resource.facts["bytes"] for resource in found.of(Kind.TRANSFORM_OUTPUT)] == [4]
    assert len(found.of(Kind.CONFIGURATION)) == len(found.of(Kind.BUCKET)) == len(found.of(Kind.ROLE)) == 1
    assert found.stages == ["around"]


def test_a_denied_list_is_named_and_the_others_are_read(aws: Aws, simulated: SimulatedAws) -> None:
    model = create_model(aws, "denied")
    simulated.fault_injector.inject("ListEndpoints", "denied")
    found = inventory.take(aws.account, "denied")
    assert [resource.name for resource in found.of(Kind.MODEL)] == [model]
    assert len(found.unread) == 1
    assert found.unread[0].startswith("endpoints: These credentials do not allow sagemaker:ListEndpoints")
