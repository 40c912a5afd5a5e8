"""The CloudWatch metrics of a deployed app: the function's, the gateway's, the endpoint's.

Sources: the metrics pages of the Lambda, API Gateway and SageMaker developer guides. Latencies of the gateway and
durations of the function are in milliseconds, the endpoint's ModelLatency and OverheadLatency in microseconds.
"""

from dataclasses import dataclass
from typing import Any

from operations.aws import names

PERIOD_SECONDS = 300
FUNCTION = "APIHandler"  # what `chalice package` calls the function in its template


@dataclass(frozen=True)
class Metric:
    """A metric and the dimensions that single it out; a value may be a reference to a resource."""

    namespace: str
    name: str
    dimensions: dict[str, Any]


def of_function(name: str) -> Metric:
    """Return a metric of the Lambda function."""
    return Metric("AWS/Lambda", name, {"FunctionName": {"Ref": FUNCTION}})


def of_gateway(name: str, stage: str) -> Metric:
    """Return a metric of the API's stage."""
    return Metric("AWS/ApiGateway", name, {"ApiName": names.APP, "Stage": stage})


def of_endpoint(name: str, endpoint: str, statistic: str) -> str:
    """Search for a metric of an endpoint: SageMaker counts by variant, and those come and go."""
    schema = "{AWS/SageMaker,EndpointName,VariantName}"
    return f"SEARCH('{schema} EndpointName=\"{endpoint}\" MetricName=\"{name}\"', '{statistic}', {PERIOD_SECONDS})"
