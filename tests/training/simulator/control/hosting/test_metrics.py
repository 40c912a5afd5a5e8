from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.training.simulator.control.account import Account, packed
from training.simulator.control.hosting.endpoint_life import hosting
from training.simulator.control.hosting.metrics import SHORTEST_PERIOD_SECONDS, Meter, set_alarms

INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def alarm(account: Account, endpoint: str, threshold: float) -> str:
    """Make an alarm on an endpoint's invocations."""
    name = f"verdict-{endpoint}-many"
    account.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "A"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
    )
    return name


def state(account: Account, name: str) -> str:
    (found,) = account.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


def total(account: Account, endpoint: str, variant: str, metric: str) -> float:
    points = account.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_cloudwatch_hears_of_invocations_and_errors_by_variant(account: Account, narrow_model: bytes) -> None:
    narrow = account.model(packed({"xgboost-model": narrow_model}))
    name = account.endpoint({"VariantName": "A", **INSTANCE}, {"VariantName": "B", "ModelName": narrow, **INSTANCE})
    for _ in range(3):
        account.ask(name, TargetVariant="A")
    with pytest.raises(ClientError, match="ModelError"):
        account.ask(name, TargetVariant="B")
    hosting(account.aws.world().find("endpoint", name)).meter.push()
    assert (total(account, name, "A", "Invocations"), total(account, name, "A", "Invocation4XXErrors")) == (3, 0)
    assert (total(account, name, "B", "Invocations"), total(account, name, "B", "Invocation4XXErrors")) == (1, 1)
    assert total(account, name, "B", "Invocation5XXErrors") == 0


def test_an_alarm_goes_off_when_its_threshold_is_passed(account: Account) -> None:
    meter = Meter(account.aws.world(), "many")
    name = alarm(account, "many", 2)
    meter.told("A", 200)
    meter.push()
    assert state(account, name) == "OK"
    meter.told("A", 200)
    meter.told("A", 500)
    meter.push()
    assert state(account, name) == "ALARM"
    assert total(account, "many", "A", "Invocation5XXErrors") == 1


def test_an_alarm_ends_once_its_period_has_passed(account: Account) -> None:
    cloudwatch = account.aws.client("cloudwatch")
    name = alarm(account, "calming", 0)
    meter = Meter(account.aws.world(), "calming")
    meter.told("A", 200)
    meter.push()
    assert state(account, name) == "ALARM"
    later = datetime.now(UTC) + timedelta(seconds=SHORTEST_PERIOD_SECONDS + 2)
    assert not set_alarms(cloudwatch, "calming", later, pace=1.0)
    assert state(account, name) == "OK"


def test_an_alarm_on_another_endpoint_is_left_alone(account: Account) -> None:
    name = alarm(account, "quiet", 0)
    meter = Meter(account.aws.world(), "busy")
    meter.told("A", 200)
    meter.push()
    assert state(account, name) != "ALARM"
