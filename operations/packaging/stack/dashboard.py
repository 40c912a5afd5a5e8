"""A dashboard of one stage: its alarms, what callers see, the function, and the endpoint behind it.

Source: "Dashboard body structure and syntax" in the CloudWatch API reference.
"""

import json
from collections.abc import Iterable
from typing import Any

from operations.packaging.stack import metrics
from operations.packaging.stack.metrics import PERIOD_SECONDS, Metric

JsonObject = dict[str, Any]

WIDTH, HEIGHT = 8, 6  # of a widget, on a grid of 24 columns
PER_ROW = 24 // WIDTH
REGION = "${AWS::Region}"


def dashboard(name: str, stage: str, endpoint: str, alarm_ids: Iterable[str]) -> JsonObject:
    """Return the dashboard, as CloudFormation takes it."""
    body = {"widgets": [_alarm_row(alarm_ids), *_in_rows(_graphs(stage, endpoint), top=2)]}
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {"DashboardName": name, "DashboardBody": {"Fn::Sub": json.dumps(body)}},
    }


def _graphs(stage: str, endpoint: str) -> list[JsonObject]:
    """Return a graph for each question: how much, how well, how quick; of the gateway, the function, the endpoint."""

    def gateway(name: str, statistic: str) -> list[Any]:
        return _line(metrics.of_gateway(name, stage), statistic)

    def function(name: str, statistic: str) -> list[Any]:
        return _line(metrics.of_function(name), statistic)

    def model(name: str, statistic: str) -> list[Any]:
        return [{"expression": metrics.of_endpoint(name, endpoint, statistic)}]

    return [
        _graph("Requests", gateway("Count", "Sum")),
        _graph("Answers 4XX and 5XX", gateway("4XXError", "Sum"), gateway("5XXError", "Sum")),
        _graph(
            "What callers wait, ms", gateway("Latency", "p50"), gateway("Latency", "p95"), gateway("Latency", "p99")
        ),
        _graph("Function: invocations", function("Invocations", "Sum"), function("ConcurrentExecutions", "Maximum")),
        _graph("Function: errors and throttles", function("Errors", "Sum"), function("Throttles", "Sum")),
        _graph("Function: duration, ms", function("Duration", "p50"), function("Duration", "p95")),
        _graph("Endpoint: invocations by variant", model("Invocations", "Sum")),
        _graph("Endpoint: errors by variant", model("Invocation4XXErrors", "Sum"), model("Invocation5XXErrors", "Sum")),
        _graph("Endpoint: model latency by variant, µs", model("ModelLatency", "p50"), model("ModelLatency", "p95")),
    ]


def _line(metric: Metric, statistic: str) -> list[Any]:
    """Write a metric as a graph takes it: namespace, name, dimensions in turns, options."""
    dimensions = [part for name, value in metric.dimensions.items() for part in (name, _written(value))]
    return [metric.namespace, metric.name, *dimensions, {"stat": statistic, "label": f"{metric.name} {statistic}"}]


def _written(value: Any) -> str:
    """Write a dimension's value for `Fn::Sub`: `{"Ref": "APIHandler"}` -> `${APIHandler}`."""
    return f"${{{value['Ref']}}}" if isinstance(value, dict) else str(value)


def _graph(title: str, *lines: list[Any]) -> JsonObject:
    """Draw lines over time, a point each five minutes."""
    properties = {
        "title": title,
        "region": REGION,
        "view": "timeSeries",
        "period": PERIOD_SECONDS,
        "metrics": list(lines),
    }
    return {"type": "metric", "width": WIDTH, "height": HEIGHT, "properties": properties}


def _alarm_row(alarm_ids: Iterable[str]) -> JsonObject:
    """Show every alarm's state, across the top."""
    properties = {"title": "Alarms", "alarms": [f"${{{alarm}.Arn}}" for alarm in alarm_ids]}
    return {"type": "alarm", "x": 0, "y": 0, "width": 24, "height": 2, "properties": properties}


def _in_rows(graphs: list[JsonObject], top: int) -> list[JsonObject]:
    """Place graphs on the grid, three a row."""
    return [
        graph | {"x": number % PER_ROW * WIDTH, "y": top + number // PER_ROW * HEIGHT}
        for number, graph in enumerate(graphs)
    ]
