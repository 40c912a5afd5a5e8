"""CloudWatch metrics of an endpoint's variants, by the minute; they arrive a few minutes late."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from operations.aws.account import Account
from operations.aws.listing import list_all

NAMESPACE = "AWS/SageMaker"
_MAX_POINTS = 1440  # in one response of CloudWatch
_PERIODS_SECONDS = (60, 3600, 86_400)


def metric_sum(account: Account, endpoint: str, variant: str, metric: str, since: datetime, until: datetime) -> float:
    """Return the sum of a variant's metric over a period, 0 if nothing was reported.

    The period is extended to whole minutes.
    """
    since, until = since.replace(second=0, microsecond=0), until + timedelta(minutes=1)
    statistics = account.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=since,
        EndTime=until,
        Period=period_seconds(until - since),
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in statistics["Datapoints"]))


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
