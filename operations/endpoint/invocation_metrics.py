"""CloudWatch metrics of an endpoint's variants, by the minute; they arrive a few minutes late."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from operations.aws.account import Account
from operations.aws.listing import list_all

NAMESPACE = "AWS/SageMaker"
_MAX_POINTS = 1440  # in one response of CloudWatch
_PERIODS_SECONDS = (60, 3600, 86_400)
_KEPT = (
    (timedelta(days=15), 60),
    (timedelta(days=63), 300),
)  # ages, and the seconds of the points that CloudWatch keeps up to each
_OLDEST_SECONDS = 3600  # of a point, beyond these ages


def metric_sum(account: Account, endpoint: str, variant: str, metric: str, since: datetime, until: datetime) -> float:
    """Return the sum of a variant's metric over a period, 0 if nothing was reported.

    The period is extended to whole minutes.
    """
    since, until = _whole_minutes(since, until)
    points = _points(
        account, endpoint, variant, metric, since, until, period_seconds(until - since), Statistics=["Sum"]
    )
    return float(sum(point["Sum"] for point in points))


def _whole_minutes(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Extend a period to whole minutes."""
    return since.replace(second=0, microsecond=0), until + timedelta(minutes=1)


def _points(
    account: Account,
    endpoint: str,
    variant: str,
    metric: str,
    since: datetime,
    until: datetime,
    period: int,
    **statistics: Any,
) -> list[dict[str, Any]]:
    """Return a variant's data points of a metric, each of `period` seconds."""
    found = account.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=since,
        EndTime=until,
        Period=period,
        **statistics,
    )
    points: list[dict[str, Any]] = found["Datapoints"]
    return points


@dataclass(frozen=True)
class Latency:
    """The median and the 99th percentile of a latency, in milliseconds."""

    p50: float
    p99: float


def latency(
    account: Account, endpoint: str, variant: str, metric: str, since: datetime, until: datetime
) -> Latency | None:
    """Return the percentiles of a variant's metric of microseconds over a period; None if CloudWatch has none.

    Percentiles of parts cannot be added, so one data point covers the whole period. If CloudWatch divides it, the
    largest percentile of a part is taken, which that of the whole does not exceed.
    """
    since, until = _whole_minutes(since, until)
    period = whole_seconds(until - since)
    points = _points(account, endpoint, variant, metric, since, until, period, ExtendedStatistics=["p50", "p99"])
    found = [point["ExtendedStatistics"] for point in points if point.get("ExtendedStatistics")]
    if not found:
        return None
    return Latency(*(max(point[name] for point in found) / 1000 for name in ("p50", "p99")))


def whole_seconds(span: timedelta) -> int:
    """Return a period of one data point for a span that ends now: a multiple of what CloudWatch keeps of its age."""
    unit = next((seconds for age, seconds in _KEPT if span <= age), _OLDEST_SECONDS)
    return math.ceil(span.total_seconds() / unit) * unit


def invocations(account: Account, endpoint: str, variant: str, since: datetime, until: datetime) -> int:
    """Return the number of requests to a variant over a period."""
    return round(metric_sum(account, endpoint, variant, "Invocations", since, until))


def period_seconds(span: timedelta) -> int:
    """Return the shortest period of a data point for which one response of CloudWatch holds the whole span."""
    fitting = (period for period in _PERIODS_SECONDS if span.total_seconds() / period <= _MAX_POINTS)
    return next(fitting, _PERIODS_SECONDS[-1])


def reported_variants(account: Account, endpoint: str) -> Iterator[str]:
    """Yield all variants for which an endpoint has reported invocations, deleted ones included."""
    request = {"MetricName": "Invocations", "Dimensions": [{"Name": "EndpointName", "Value": endpoint}]}
    for metric in list_all(account, "cloudwatch", "list_metrics", "Metrics", Namespace=NAMESPACE, **request):
        yield from (pair["Value"] for pair in metric["Dimensions"] if pair["Name"] == "VariantName")
