"""Alarms of an endpoint, beside one of somebody else with the same name."""

from operations.aws.command import Aws
from operations.endpoint import alarms

ENDPOINT = "verdict-dev-0123456789ab"


def test_an_alarm_of_somebody_else_is_neither_changed_nor_deleted(aws: Aws) -> None:
    cloudwatch, (taken, free) = aws.account.client("cloudwatch"), alarms.requests(ENDPOINT, "release")
    cloudwatch.put_metric_alarm(**taken | {"Threshold": 7.0})
    assert alarms.ensure(aws, "dev", ENDPOINT, ["release"]) == [free["AlarmName"]]
    assert alarms.ensure(aws, "dev", ENDPOINT, ["release"]) == [free["AlarmName"]]  # its own again
    alarms.delete(aws, ENDPOINT, ["release"])
    (left,) = cloudwatch.describe_alarms(AlarmNamePrefix=ENDPOINT)["MetricAlarms"]
    assert (left["AlarmName"], left["Threshold"]) == (taken["AlarmName"], 7.0)
