"""Four alarms on the app: it fails, it is slow, it is throttled, it answers with server errors.

All look at five minutes at a time, are quiet while nobody asks, and tell the topic of parameter `AlarmTopicArn`, where
there is one.
"""

from dataclasses import dataclass
from typing import Any

from operations.packaging.stack import metrics
from operations.packaging.stack.metrics import PERIOD_SECONDS, Metric

JsonObject = dict[str, Any]

TOPIC, HAS_TOPIC = "AlarmTopicArn", "HasAlarmTopic"
LONGEST_P95_MILLISECONDS = 3000  # what callers wait; an endpoint that slept takes longer once, not for a quarter hour
LARGEST_ERROR_SHARE = 0.05


@dataclass(frozen=True)
class Alarm:
    """When `breaches` of the last `periods` have the metric's statistic at the threshold or above."""

    description: str
    metric: Metric
    statistic: str
    threshold: float
    breaches: int = 1
    periods: int = 1


def alarms(stage: str) -> dict[str, JsonObject]:
    """Return logical id -> alarm, as CloudFormation takes them."""
    watched = {
        "FunctionErrors": Alarm(
            "The function failed or ran out of time: a bug, since every fault of the model has an answer.",
            metrics.of_function("Errors"),
            "Sum",
            1,
        ),
        "FunctionThrottles": Alarm(
            "Lambda refused to run the function: its concurrency is used up.",
            metrics.of_function("Throttles"),
            "Sum",
            1,
        ),
        "SlowAnswers": Alarm(
            "One in twenty callers waits too long, gateway, function and model together, for a quarter of an hour.",
            metrics.of_gateway("Latency", stage),
            "p95",
            LONGEST_P95_MILLISECONDS,
            breaches=3,
            periods=3,
        ),
        "ServerErrors": Alarm(
            "Too large a share of requests is answered with 5XX: the model cannot be asked, or the function fails.",
            metrics.of_gateway("5XXError", stage),
            "Average",  # of a count of 0 or 1 a request: the share
            LARGEST_ERROR_SHARE,
            breaches=2,
            periods=3,
        ),
    }
    return {name: _resource(alarm) for name, alarm in watched.items()}


def _resource(alarm: Alarm) -> JsonObject:
    """Write an alarm as CloudFormation takes it."""
    told = {"Fn::If": [HAS_TOPIC, [{"Ref": TOPIC}], {"Ref": "AWS::NoValue"}]}
    dimensions = [{"Name": name, "Value": value} for name, value in alarm.metric.dimensions.items()]
    properties: JsonObject = {
        "AlarmDescription": alarm.description,
        "Namespace": alarm.metric.namespace,
        "MetricName": alarm.metric.name,
        "Dimensions": dimensions,
        "Period": PERIOD_SECONDS,
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.breaches,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": alarm.threshold,
        "TreatMissingData": "notBreaching",
        "AlarmActions": told,
        "OKActions": told,
        **_statistic(alarm.statistic),
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _statistic(statistic: str) -> JsonObject:
    """Name a statistic; a percentile of too few requests to mean anything changes no alarm."""
    if statistic.startswith("p"):
        return {"ExtendedStatistic": statistic, "EvaluateLowSampleCountPercentile": "ignore"}
    return {"Statistic": statistic}
