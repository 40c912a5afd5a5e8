"""Invocation metrics and alarms of endpoints."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from botocore.exceptions import ClientError

from simulator.sagemaker.hosting.cloudwatch_metrics import MIN_PERIOD_SECONDS, InvocationMetrics, evaluate_alarms
from simulator.sagemaker.hosting.endpoint_lifecycle import ENDPOINT, deployment_of
from tests.simulator.sagemaker.account import Account, pack

INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def alarm(
    account: Account, endpoint: str, threshold: float, metric: str = "Invocations", statistic: str = "Sum"
) -> str:
    """Create an alarm on a metric of an endpoint; returns its name."""
    name = f"verdict-{endpoint}-{metric}"
    account.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "A"}],
        Statistic=statistic,
        Period=60,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
    )
    return name


def state(account: Account, name: str) -> str:
    (found,) = account.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


def statistic(account: Account, endpoint: str, variant: str, metric: str, name: str) -> float:
    """Return a statistic of a metric over ten minutes, 0 without data."""
    points = account.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=600,
        Statistics=[name],
    )["Datapoints"]
    return float(points[0][name]) if points else 0.0


def total(account: Account, endpoint: str, variant: str, metric: str) -> float:
    return statistic(account, endpoint, variant, metric, "Sum")


def test_invocations_and_errors_are_counted_by_variant(account: Account, narrow_model: bytes) -> None:
    narrow = account.model(pack({"xgboost-model": narrow_model}))
    name = account.endpoint({"VariantName": "A", **INSTANCE}, {"VariantName": "B", "ModelName": narrow, **INSTANCE})
    for _ in range(3):
        account.invoke(name, TargetVariant="A")
    with pytest.raises(ClientError, match="ModelError"):
        account.invoke(name, TargetVariant="B")
    deployment_of(account.aws.backend().find(ENDPOINT, name)).metrics.push()
    assert (total(account, name, "A", "Invocations"), total(account, name, "A", "Invocation4XXErrors")) == (3, 0)
    assert (total(account, name, "B", "Invocations"), total(account, name, "B", "Invocation4XXErrors")) == (1, 1)
    assert total(account, name, "B", "Invocation5XXErrors") == 0


def test_alarm_goes_off_above_its_threshold(account: Account) -> None:
    metrics = InvocationMetrics(account.aws.backend(), "many")
    name = alarm(account, "many", 2)
    metrics.record("A", 200, 0.01)
    metrics.push()
    assert state(account, name) == "OK"
    metrics.record("A", 200, 0.01)
    metrics.record("A", 200, 0.01)
    metrics.record("A", 500, 0.01)  # three are enough: on a slow machine, the first may be outside the period
    metrics.push()
    assert state(account, name) == "ALARM"
    assert total(account, "many", "A", "Invocation5XXErrors") == 1


def test_alarm_ends_after_its_period(account: Account) -> None:
    cloudwatch = account.aws.client("cloudwatch")
    name = alarm(account, "calming", 0)
    metrics = InvocationMetrics(account.aws.backend(), "calming")
    metrics.record("A", 200, 0.01)
    metrics.push()
    assert state(account, name) == "ALARM"
    later = datetime.now(UTC) + timedelta(seconds=MIN_PERIOD_SECONDS + 2)
    assert not evaluate_alarms(cloudwatch, "calming", later, pace=1.0)
    assert state(account, name) == "OK"


def test_alarm_on_another_endpoint_is_unchanged(account: Account) -> None:
    name = alarm(account, "quiet", 0)
    metrics = InvocationMetrics(account.aws.backend(), "busy")
    metrics.record("A", 200, 0.01)
    metrics.push()
    assert state(account, name) != "ALARM"


def test_model_latency_is_recorded_in_microseconds(account: Account) -> None:
    name = account.endpoint({"VariantName": "A", **INSTANCE})
    started = perf_counter()
    for _ in range(2):
        account.invoke(name)
    at_most = (perf_counter() - started) * 1e6
    deployment_of(account.aws.backend().find(ENDPOINT, name)).metrics.push()
    assert statistic(account, name, "A", "ModelLatency", "SampleCount") == 2
    assert 10 < statistic(account, name, "A", "ModelLatency", "Sum") < at_most


def test_latencies_of_several_pushes_are_averaged(account: Account) -> None:
    metrics = InvocationMetrics(account.aws.backend(), "uneven")
    for seconds in ((0.1, 0.2), (0.6,)):
        for item in seconds:
            metrics.record("A", 200, item)
        metrics.push()
    found = {
        name: statistic(account, "uneven", "A", "ModelLatency", name) for name in ("Average", "Minimum", "Maximum")
    }
    assert found == pytest.approx({"Average": 300_000, "Minimum": 100_000, "Maximum": 600_000})


def test_slow_responses_trigger_a_latency_alarm(account: Account) -> None:
    name = alarm(account, "slow", 5_000_000, "ModelLatency", "Average")
    metrics = InvocationMetrics(account.aws.backend(), "slow")
    metrics.record("A", 200, 1)
    metrics.push()
    assert state(account, name) == "OK"
    metrics.record("A", 200, 20)
    metrics.push()
    assert state(account, name) == "ALARM"


def test_refused_metrics_are_lost_and_later_ones_are_sent(account: Account) -> None:
    metrics = InvocationMetrics(account.aws.backend(), "refused")
    account.aws.fault_injector.inject("PutMetricData", "denied", 1)
    for _ in range(2):
        metrics.record("A", 200, 0.01)
        metrics.push()
    assert total(account, "refused", "A", "Invocations") == 1
