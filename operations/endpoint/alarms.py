"""CloudWatch alarms on an endpoint's variants: what an update watches, and turns back at.

An alarm costs about ten cents a month. They belong to the endpoint and go with it.
"""

from collections.abc import Sequence
from typing import Any

from operations.aws import names
from operations.aws.command import Aws

PERIOD_SECONDS = 60
SLOW_MICROSECONDS = 5_000_000.0  # a third of what the app waits for an answer


def wanted(endpoint: str, variant: str) -> list[dict[str, Any]]:
    """Return the PutMetricAlarm requests for one variant: any failure, or slow answers, within a minute."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    common = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": dimensions,
        "Period": PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
    }
    failures = {
        "AlarmName": f"{endpoint}-{variant}-failures",
        "AlarmDescription": "The model failed on a request.",
        "MetricName": "Invocation5XXErrors",
        "Statistic": "Sum",
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    slowness = {
        "AlarmName": f"{endpoint}-{variant}-slowness",
        "AlarmDescription": "Answers take more than five seconds on average.",
        "MetricName": "ModelLatency",
        "Statistic": "Average",
        "Threshold": SLOW_MICROSECONDS,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return [{**common, **failures}, {**common, **slowness}]


def ensure(aws: Aws, stage: str, endpoint: str, variants: Sequence[str]) -> list[str]:
    """Make the alarms of these variants, those that exist brought up to date; returns all their names."""
    cloudwatch, made = aws.account.client("cloudwatch"), []
    before = set(existing(aws, endpoint))
    for variant in variants:
        for alarm in wanted(endpoint, variant):
            cloudwatch.put_metric_alarm(**alarm, Tags=names.tags(stage))
            made.append(str(alarm["AlarmName"]))
            if alarm["AlarmName"] not in before:
                aws.journal.write("created", "alarm", str(alarm["AlarmName"]), stage=stage)
    return made


def existing(aws: Aws, endpoint: str) -> list[str]:
    """Name the alarms of an endpoint."""
    pages = aws.account.client("cloudwatch").get_paginator("describe_alarms")
    return [one["AlarmName"] for page in pages.paginate(AlarmNamePrefix=f"{endpoint}-") for one in page["MetricAlarms"]]


def remove(aws: Aws, endpoint: str, variants: Sequence[str]) -> None:
    """Delete the alarms of these variants; those that are absent are fine."""
    gone = {str(alarm["AlarmName"]) for variant in variants for alarm in wanted(endpoint, variant)}
    found = sorted(gone.intersection(existing(aws, endpoint)))
    if found:
        aws.account.client("cloudwatch").delete_alarms(AlarmNames=found)
    for name in found:
        aws.journal.write("deleted", "alarm", name)


def alarms_in_alarm(aws: Aws, endpoint: str) -> list[str]:
    """Name the alarms of an endpoint that are in ALARM now."""
    pages = aws.account.client("cloudwatch").get_paginator("describe_alarms")
    found = (one for page in pages.paginate(AlarmNamePrefix=f"{endpoint}-") for one in page["MetricAlarms"])
    return [one["AlarmName"] for one in found if one["StateValue"] == "ALARM"]
