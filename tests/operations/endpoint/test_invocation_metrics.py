"""CloudWatch metrics of variants, summed by the minute or over longer periods."""

from datetime import UTC, datetime, timedelta

import pytest

from operations.aws.command import Aws
from operations.endpoint.invocation_metrics import (
    NAMESPACE,
    Latency,
    invocations,
    latency,
    metric_sum,
    reported_variants,
    whole_seconds,
)

NOW = datetime.now(UTC).replace(second=30, microsecond=0)


def report(aws: Aws, endpoint: str, variant: str, value: float, when: datetime, metric: str = "Invocations") -> None:
    """Report a metric to CloudWatch."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    point = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": when, "Value": value}
    aws.account.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[point])


def test_the_first_and_last_minute_are_counted_completely(aws: Aws) -> None:
    since = NOW - timedelta(minutes=10)
    for seconds, value in ((-20, 1), (0, 2), (-120, 40)):  # the last value is from an earlier minute
        report(aws, "whole", "v1", value, since + timedelta(seconds=seconds))
    report(aws, "whole", "v1", 4, NOW + timedelta(seconds=10))
    assert invocations(aws.account, "whole", "v1", since, NOW) == 7


def test_a_month_is_summed_in_one_response(aws: Aws) -> None:
    for days in range(0, 28, 7):
        report(aws, "month", "v1", 0.5, NOW - timedelta(days=days), "ModelLatency")
    assert metric_sum(aws.account, "month", "v1", "ModelLatency", NOW - timedelta(days=30), NOW) == 2.0


def test_percentiles_are_of_all_values_of_the_period(aws: Aws) -> None:
    for number in range(1, 201):
        when = NOW - timedelta(hours=number % 40)
        report(aws, "slow", "v1", number * 1000.0, when, "ModelLatency")
    found = latency(aws.account, "slow", "v1", "ModelLatency", NOW - timedelta(days=3), NOW)
    assert found == Latency(p50=100.0, p99=198.0)
    recent = latency(aws.account, "slow", "v1", "ModelLatency", NOW - timedelta(minutes=30), NOW)
    assert recent == Latency(p50=120.0, p99=200.0)


def test_latencies_that_were_not_reported_are_unknown(aws: Aws) -> None:
    assert latency(aws.account, "slow", "none", "OverheadLatency", NOW - timedelta(days=3), NOW) is None


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (timedelta(seconds=90), 120),
        (timedelta(days=15), 15 * 86_400),
        (timedelta(days=20, seconds=1), 20 * 86_400 + 300),
        (timedelta(days=70, seconds=1), 70 * 86_400 + 3600),
    ],
)
def test_one_period_is_a_multiple_of_what_cloudwatch_keeps(span: timedelta, seconds: int) -> None:
    assert whole_seconds(span) == seconds


def test_an_unreported_metric_sums_to_zero(aws: Aws) -> None:
    assert invocations(aws.account, "silent", "v1", NOW - timedelta(hours=1), NOW) == 0


def test_replaced_variants_are_known_by_their_metrics(aws: Aws) -> None:
    for variant in ("old", "new"):
        report(aws, "updated", variant, 1, NOW)
    assert set(reported_variants(aws.account, "updated")) == {"old", "new"}
