"""GetMetricStatistics as CloudWatch answers it: metrics by exactly the requested dimensions, and percentiles.

moto also counts metrics with further dimensions, and ignores ExtendedStatistics.
"""

import math
from collections.abc import Sequence
from functools import cache, wraps
from types import SimpleNamespace
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatum
from moto.cloudwatch.responses import CloudWatchResponse


@cache
def install() -> None:
    """Correct GetMetricStatistics of moto, once in a process."""
    _match_dimensions(CloudWatchBackend)
    _add_percentiles(CloudWatchResponse)


def _match_dimensions(backend: Any) -> None:
    """Leave out metrics with further dimensions."""
    original = backend.get_metric_statistics

    @wraps(original)
    def get_metric_statistics(self: Any, *arguments: Any, dimensions: list[dict[str, str]], **more: Any) -> Any:
        def get_all_metrics() -> list[Any]:
            return [metric for metric in self.get_all_metrics() if len(metric.dimensions) == len(dimensions)]

        return original(SimpleNamespace(get_all_metrics=get_all_metrics), *arguments, dimensions=dimensions, **more)

    backend.get_metric_statistics = get_metric_statistics


def _add_percentiles(responses: Any) -> None:
    """Add the percentiles of single values; metrics that were put as statistics have none, as on AWS."""
    original = responses.get_metric_statistics

    @wraps(original)
    def get_metric_statistics(self: Any) -> Any:
        found = original(self)
        requested = self._get_param("ExtendedStatistics") or []
        for point in found.result["Datapoints"] if requested else ():
            values = sorted(each.value for each in point.metric_data if isinstance(each, MetricDatum))
            point.extended_statistics = {name: percentile(values, float(name[1:])) for name in requested if values}
        return found

    responses.get_metric_statistics = get_metric_statistics


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of the ordered values do not exceed."""
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]
