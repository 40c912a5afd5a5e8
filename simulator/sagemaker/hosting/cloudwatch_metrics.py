"""CloudWatch metrics of an endpoint's invocations, and the evaluation of its alarms, which moto only stores."""

import operator
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.sagemaker.backend import Backend
from simulator.sagemaker.hosting.traffic_shifting import SECONDS_PER_PACE

NAMESPACE = "AWS/SageMaker"
ALARM_PREFIX = "verdict"  # of the alarms that are evaluated
MIN_PERIOD_SECONDS = 5.0
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class InvocationMetrics:
    """The metrics of one endpoint: `record` collects invocations, `push` sends them to CloudWatch. Thread-safe."""

    def __init__(self, backend: Backend, endpoint: str) -> None:
        self._backend = backend
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._pushing = threading.Lock()
        self._recorded: dict[str, list[tuple[int, float]]] = {}  # variant -> (status, microseconds) since the last push
        self._in_alarm = False

    def record(self, variant: str, status: int, seconds: float) -> None:
        """Add an invocation: the container's status and response time."""
        with self._lock:
            self._recorded.setdefault(variant, []).append((status, seconds * 1e6))

    def push(self) -> None:
        """Send the metrics since the last push, and evaluate the alarms on them.

        Metrics that CloudWatch refuses are lost, as on AWS.
        """
        with self._pushing:
            with self._lock:
                recorded, self._recorded = self._recorded, {}
            if not recorded and not self._in_alarm:
                return
            cloudwatch, now = self._backend.client("cloudwatch"), self._backend.now()
            data = [
                {**datum, "Dimensions": _dimensions(self._endpoint, variant), "Timestamp": now}
                for variant, responses in recorded.items()
                for datum in _metric_data(responses)
            ]
            with suppress(BotoCoreError, ClientError):
                if data:
                    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
                self._in_alarm = evaluate_alarms(cloudwatch, self._endpoint, now, self._backend.pace)


def _dimensions(endpoint: str, variant: str) -> list[dict[str, str]]:
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]


def _metric_data(responses: list[tuple[int, float]]) -> list[dict[str, Any]]:
    """Return the metrics of responses, each (status, microseconds), as PutMetricData takes them."""
    latencies = [microseconds for _, microseconds in responses]
    counts = {
        "Invocations": len(responses),
        "Invocation4XXErrors": sum(400 <= status < 500 for status, _ in responses),
        "Invocation5XXErrors": sum(not 200 <= status < 500 for status, _ in responses),
    }
    return [
        *({"MetricName": name, "Value": float(count), "Unit": "None"} for name, count in counts.items()),
        {"MetricName": "ModelLatency", "Values": latencies, "Unit": "Microseconds"},
    ]


def evaluate_alarms(cloudwatch: Any, endpoint: str, now: datetime, pace: float) -> bool:
    """Set the state of each alarm on an endpoint's metrics; returns whether any is in alarm.

    Periods are shortened like all other waits, but not below `MIN_PERIOD_SECONDS`.
    """
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=ALARM_PREFIX)
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"] if _watches(alarm, endpoint)]
    breaching = [_evaluate(cloudwatch, alarm, now, pace) for alarm in alarms]
    return any(breaching)


def in_alarm(cloudwatch: Any, names: list[str]) -> list[str]:
    """Return those of these alarms that are in alarm."""
    if not names:
        return []
    alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    return [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]


def _watches(alarm: dict[str, Any], endpoint: str) -> bool:
    """Return whether an alarm is on one of an endpoint's metrics."""
    values = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
    return alarm.get("Namespace") == NAMESPACE and values.get("EndpointName") == endpoint


def _evaluate(cloudwatch: Any, alarm: dict[str, Any], now: datetime, pace: float) -> bool:
    """Compare an alarm's metric over the last period with its threshold; returns whether it is in alarm.

    Missing data is not breaching; other settings of TreatMissingData are ignored.
    """
    statistic = alarm.get("Statistic", "Sum")
    period_seconds = max(MIN_PERIOD_SECONDS, alarm["Period"] * pace / SECONDS_PER_PACE)
    points = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=now - timedelta(seconds=period_seconds),
        EndTime=now + timedelta(seconds=1),
        Period=2 * alarm["Period"],
        Statistics=[statistic],
    )["Datapoints"]
    value = points[0][statistic] if points else None
    is_breaching = value is not None and _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
    state = "ALARM" if is_breaching else "OK"
    if state != alarm["StateValue"]:
        reason = f"{statistic} of {alarm['MetricName']} over {period_seconds:g} s: {value}"
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)
    return is_breaching
