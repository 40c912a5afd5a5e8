"""What CloudWatch hears of an endpoint's invocations, and the alarms on it, which moto keeps but does not evaluate."""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.sagemaker.backend import Backend
from simulator.sagemaker.hosting.shifting import SECONDS_A_PACE

NAMESPACE = "AWS/SageMaker"
ALARM_PREFIX = "verdict"  # of the alarms that are looked after
SHORTEST_PERIOD_SECONDS = 5.0
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


@dataclass
class _Answers:
    """What a variant's container has answered since the last push: how often, and how fast."""

    count: int = 0
    client_errors: int = 0
    server_errors: int = 0
    microseconds: float = 0.0  # of all answers together
    fastest: float = math.inf
    slowest: float = 0.0

    def add(self, status: int, microseconds: float) -> None:
        """Take one answer in, by the container's status."""
        self.count += 1
        self.client_errors += 400 <= status < 500
        self.server_errors += not 200 <= status < 500
        self.microseconds += microseconds
        self.fastest, self.slowest = min(self.fastest, microseconds), max(self.slowest, microseconds)

    def data(self) -> list[dict[str, Any]]:
        """Return them as CloudWatch takes them."""
        counts = {
            "Invocations": self.count,
            "Invocation4XXErrors": self.client_errors,
            "Invocation5XXErrors": self.server_errors,
        }
        latency = {
            "SampleCount": float(self.count),
            "Sum": self.microseconds,
            "Minimum": self.fastest,
            "Maximum": self.slowest,
        }
        return [
            *({"MetricName": name, "Value": float(count), "Unit": "None"} for name, count in counts.items()),
            {"MetricName": "ModelLatency", "StatisticValues": latency, "Unit": "Microseconds"},
        ]


class Meter:
    """Hears of an endpoint's invocations; `push` hands what it heard to CloudWatch. For many threads at once."""

    def __init__(self, world: Backend, endpoint: str) -> None:
        self._world = world
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._pushing = threading.Lock()
        self._heard: dict[str, _Answers] = {}  # by variant, since the last push
        self._client: Any = None
        self._alarming = False

    def told(self, variant: str, status: int, seconds: float) -> None:
        """Hear of one invocation: the container's status, and how long it took to answer."""
        with self._lock:
            self._heard.setdefault(variant, _Answers()).add(status, seconds * 1e6)

    def push(self) -> None:
        """Push what was heard since the last time, and set the alarms on it; does nothing when there is nothing.

        What CloudWatch does not take is lost, as on AWS: the endpoint goes on.
        """
        with self._pushing:
            with self._lock:
                heard, self._heard = self._heard, {}
            if not heard and not self._alarming:
                return
            self._client = self._client or self._world.client("cloudwatch")
            with suppress(BotoCoreError, ClientError):
                if heard:
                    self._put(heard)
                self._alarming = set_alarms(self._client, self._endpoint, self._world.now(), self._world.pace)

    def _put(self, heard: dict[str, _Answers]) -> None:
        now = self._world.now()
        data = [
            {**datum, "Dimensions": self._dimensions(variant), "Timestamp": now}
            for variant, answers in heard.items()
            for datum in answers.data()
        ]
        self._client.put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def _dimensions(self, variant: str) -> list[dict[str, str]]:
        return [{"Name": "EndpointName", "Value": self._endpoint}, {"Name": "VariantName", "Value": variant}]


def set_alarms(cloudwatch: Any, endpoint: str, now: datetime, pace: float) -> bool:
    """Set the state of every alarm on an endpoint's metrics; tells whether one of them is in alarm.

    Periods are as much shorter than on AWS as all that waits is here, though never shorter than some seconds.
    """
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=ALARM_PREFIX)
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"] if _is_about(alarm, endpoint)]
    are_over = [_set(cloudwatch, alarm, now, pace) for alarm in alarms]
    return any(are_over)


def in_alarm(cloudwatch: Any, names: list[str]) -> list[str]:
    """Return those of these alarms that are in alarm."""
    if not names:
        return []
    alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    return [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]


def _is_about(alarm: dict[str, Any], endpoint: str) -> bool:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
    return alarm.get("Namespace") == NAMESPACE and dimensions.get("EndpointName") == endpoint


def _set(cloudwatch: Any, alarm: dict[str, Any], now: datetime, pace: float) -> bool:
    """Compare what an alarm watches, over its last period, with its threshold; tells whether it is in alarm.

    No data is no alarm: whoever asks for another treatment of missing data is not heard here.
    """
    statistic = alarm.get("Statistic", "Sum")
    period_seconds = max(SHORTEST_PERIOD_SECONDS, alarm["Period"] * pace / SECONDS_A_PACE)
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
    is_over = value is not None and _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
    state = "ALARM" if is_over else "OK"
    if state != alarm["StateValue"]:
        reason = f"{statistic} of {alarm['MetricName']} over {period_seconds:g} s: {value}"
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)
    return is_over
