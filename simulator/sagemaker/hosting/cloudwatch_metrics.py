"""CloudWatch metrics of an endpoint's invocations, and the evaluation of its alarms, which moto only stores."""

import math
import operator
import threading
from contextlib import suppress
from dataclasses import dataclass
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


@dataclass
class _Statistics:
    """Counts and latencies of a variant's responses since the last push."""

    count: int = 0
    client_errors: int = 0
    server_errors: int = 0
    total_microseconds: float = 0.0
    min_microseconds: float = math.inf
    max_microseconds: float = 0.0

    def add(self, status: int, microseconds: float) -> None:
        """Add a response, by the container's status."""
        self.count += 1
        self.client_errors += 400 <= status < 500
        self.server_errors += not 200 <= status < 500
        self.total_microseconds += microseconds
        self.min_microseconds = min(self.min_microseconds, microseconds)
        self.max_microseconds = max(self.max_microseconds, microseconds)

    def metric_data(self) -> list[dict[str, Any]]:
        """Return the statistics as PutMetricData takes them."""
        counts = {
            "Invocations": self.count,
            "Invocation4XXErrors": self.client_errors,
            "Invocation5XXErrors": self.server_errors,
        }
        latency = {
            "SampleCount": float(self.count),
            "Sum": self.total_microseconds,
            "Minimum": self.min_microseconds,
            "Maximum": self.max_microseconds,
        }
        return [
            *({"MetricName": name, "Value": float(count), "Unit": "None"} for name, count in counts.items()),
            {"MetricName": "ModelLatency", "StatisticValues": latency, "Unit": "Microseconds"},
        ]


class InvocationMetrics:
    """The metrics of one endpoint: `record` collects invocations, `push` sends them to CloudWatch. Thread-safe."""

    def __init__(self, backend: Backend, endpoint: str) -> None:
        self._backend = backend
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._pushing = threading.Lock()
        self._recorded: dict[str, _Statistics] = {}  # variant -> statistics since the last push
        self._in_alarm = False

    def record(self, variant: str, status: int, seconds: float) -> None:
        """Add an invocation: the container's status and response time."""
        with self._lock:
            self._recorded.setdefault(variant, _Statistics()).add(status, seconds * 1e6)

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
            with suppress(BotoCoreError, ClientError):
                if recorded:
                    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=self._metric_data(recorded, now))
                self._in_alarm = evaluate_alarms(cloudwatch, self._endpoint, now, self._backend.pace)

    def _metric_data(self, recorded: dict[str, _Statistics], now: datetime) -> list[dict[str, Any]]:
        return [
            {**datum, "Dimensions": dimensions(self._endpoint, variant), "Timestamp": now}
            for variant, statistics in recorded.items()
            for datum in statistics.metric_data()
        ]


def dimensions(endpoint: str, variant: str) -> list[dict[str, str]]:
    """Return the dimensions of a variant's metrics."""
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]


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
