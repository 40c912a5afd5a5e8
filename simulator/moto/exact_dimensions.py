"""Metrics by exactly the requested dimensions, as CloudWatch has them; moto also counts metrics with further ones."""

from functools import cache, wraps
from types import SimpleNamespace
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend


@cache
def install() -> None:
    """Correct GetMetricStatistics of moto, once in a process."""
    backend: Any = CloudWatchBackend
    original = backend.get_metric_statistics

    @wraps(original)
    def get_metric_statistics(self: Any, *arguments: Any, dimensions: list[dict[str, str]], **more: Any) -> Any:
        def get_all_metrics() -> list[Any]:
            return [metric for metric in self.get_all_metrics() if len(metric.dimensions) == len(dimensions)]

        return original(SimpleNamespace(get_all_metrics=get_all_metrics), *arguments, dimensions=dimensions, **more)

    backend.get_metric_statistics = get_metric_statistics
