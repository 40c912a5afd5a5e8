"""What CloudWatch has counted of an endpoint's variants, by the minute and a few minutes late."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from operations.aws.account import Account

NAMESPACE = "AWS/SageMaker"
_MOST_POINTS = 1440  # in one answer of CloudWatch
_PERIODS_SECONDS = (60, 3600, 86_400)


def metric_sum(account: Account, endpoint: str, variant: str, metric: str, since: datetime, until: datetime) -> float:
    """Return the sum of a metric of a variant over a time, 0 where nothing was reported; raises what boto3 raises.

    CloudWatch counts by the minute: the time is taken from the beginning of the first to the end of the last.
    """
    since, until = since.replace(second=0, microsecond=0), until + timedelta(minutes=1)
    answer = account.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=since,
        EndTime=until,
        Period=_period_seconds(until - since),
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def invocations(account: Account, endpoint: str, variant: str, since: datetime, until: datetime) -> int:
    """Count how often a variant was asked over a time."""
    return round(metric_sum(account, endpoint, variant, "Invocations", since, until))


def _period_seconds(span: timedelta) -> int:
    """Return how long a point of a metric is: a minute, or as coarse as one answer needs."""
    fitting = (period for period in _PERIODS_SECONDS if span.total_seconds() / period <= _MOST_POINTS)
    return next(fitting, _PERIODS_SECONDS[-1])


def reported_variants(account: Account, endpoint: str) -> Iterator[str]:
    """Yield the variants that an endpoint has reported invocations of: the names change with an update."""
    pages = account.client("cloudwatch").get_paginator("list_metrics")
    wanted = [{"Name": "EndpointName", "Value": endpoint}]
    for page in pages.paginate(Namespace=NAMESPACE, MetricName="Invocations", Dimensions=wanted):
        for metric in page["Metrics"]:
            yield from (one["Value"] for one in metric["Dimensions"] if one["Name"] == "VariantName")
