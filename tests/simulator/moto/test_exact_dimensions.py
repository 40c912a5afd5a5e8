from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.aws import SimulatedAws

STAGE, VARIANT = {"Name": "Stage", "Value": "exact"}, {"Name": "Variant", "Value": "release"}


def total(aws: SimulatedAws, *dimensions: dict[str, str]) -> float:
    now = datetime.now(UTC)
    points: list[dict[str, Any]] = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Exact",
        MetricName="Positive",
        Dimensions=list(dimensions),
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_a_metric_with_further_dimensions_is_another_metric(simulated_aws: SimulatedAws) -> None:
    for dimensions, value in (([STAGE], 1.0), ([STAGE, VARIANT], 2.0)):
        datum = {"MetricName": "Positive", "Dimensions": dimensions, "Value": value}
        simulated_aws.client("cloudwatch").put_metric_data(Namespace="Exact", MetricData=[datum])
    assert total(simulated_aws, STAGE) == 1
    assert total(simulated_aws, VARIANT, STAGE) == 2
    assert total(simulated_aws, VARIANT) == 0
