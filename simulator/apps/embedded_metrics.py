"""CloudWatch metrics in log lines, by the embedded metric format (EMF).

A line without valid metadata, a metric without a number, and a dimension without a value are ignored, as on AWS.
Source: the CloudWatch user guide, "Specification: Embedded metric format".
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

MetricData = list[dict[str, Any]]  # as PutMetricData takes it


def metric_data(lines: Iterable[str]) -> dict[str, MetricData]:
    """Return the metrics in log lines, by namespace."""
    found: dict[str, MetricData] = defaultdict(list)
    for line in lines:
        if '"_aws"' not in line:
            continue
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            for namespace, data in _of_document(json.loads(line)):
                found[namespace] += data
    return dict(found)


def _of_document(document: dict[str, Any]) -> Iterator[tuple[str, MetricData]]:
    """Yield (namespace, metrics) for each directive of a line; raises an error if its metadata is malformed."""
    when = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        data = [
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": name, "Value": document[name]} for name in names],
                "Timestamp": when,
                "Values": numbers,
                "Unit": metric.get("Unit", "None"),
            }
            for names in directive["Dimensions"]
            for metric in directive["Metrics"]
            if all(document.get(name) for name in names) and (numbers := _numbers(document.get(metric["Name"])))
        ]
        if data:
            yield directive["Namespace"], data


def _numbers(value: Any) -> list[float]:
    """Return a metric's value or values as a list, empty unless all are numbers."""
    values = value if isinstance(value, list) else [value]
    return values if all(type(each) in (int, float) for each in values) else []
