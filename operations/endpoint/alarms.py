"""CloudWatch alarms on an endpoint's variants; a guarded update rolls back when one of them is in ALARM.

An alarm costs about ten cents a month. Alarms belong to an endpoint and are deleted with it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import if_there
from operations.aws.listing import list_all, tags_by_key
from operations.aws.names import APP_TAG, is_tagged

PERIOD_SECONDS = 60
SLOW_MICROSECONDS = 5_000_000.0  # a third of the app's timeout


def requests(endpoint: str, variant: str) -> list[dict[str, Any]]:
    """Return the PutMetricAlarm requests for one variant: any 5xx error, or high latency, within a minute."""
    common = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
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
        "AlarmDescription": "Responses take more than five seconds on average.",
        "MetricName": "ModelLatency",
        "Statistic": "Average",
        "Threshold": SLOW_MICROSECONDS,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return [{**common, **failures}, {**common, **slowness}]


def ensure(aws: Aws, stage: str, endpoint: str, variants: Sequence[str]) -> list[str]:
    """Create or update the alarms of these variants, and return their names; names that others use are left out."""
    wanted = {str(request["AlarmName"]): request for variant in variants for request in requests(endpoint, variant)}
    for alarm in _existing(aws, endpoint):
        if alarm["AlarmName"] in wanted and not _is_ours(aws, alarm):
            del wanted[alarm["AlarmName"]]
            aws.print(f"Not created: alarm {alarm['AlarmName']}. Another one has its name, without tag {APP_TAG}.")
    for request in wanted.values():
        aws.account.client("cloudwatch").put_metric_alarm(**request, Tags=names.tags(stage))
    return list(wanted)


def delete(aws: Aws, endpoint: str, variants: Sequence[str]) -> None:
    """Delete the alarms of these variants, those of them that exist and have our tag."""
    wanted = {request["AlarmName"] for variant in variants for request in requests(endpoint, variant)}
    existing = [alarm for alarm in _existing(aws, endpoint) if alarm["AlarmName"] in wanted]
    found = [alarm["AlarmName"] for alarm in existing if _is_ours(aws, alarm)]
    if found:
        aws.account.client("cloudwatch").delete_alarms(AlarmNames=found)


def alarms_in_alarm(aws: Aws, endpoint: str) -> list[str]:
    """Return the names of an endpoint's alarms that are in ALARM."""
    return [alarm["AlarmName"] for alarm in _existing(aws, endpoint) if alarm["StateValue"] == "ALARM"]


def _is_ours(aws: Aws, alarm: dict[str, Any]) -> bool:
    """Return whether an alarm has our tag."""
    found = if_there(aws.account.client("cloudwatch").list_tags_for_resource, ResourceARN=alarm["AlarmArn"]) or {}
    return is_tagged(tags_by_key(found.get("Tags", ())))


def _existing(aws: Aws, endpoint: str) -> Iterator[Any]:
    """Yield the alarms of an endpoint."""
    return list_all(aws.account, "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{endpoint}-")
