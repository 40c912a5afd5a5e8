"""Metrics of verdicts in CloudWatch's embedded metric format (EMF): fields of the request log that become metrics.

CloudWatch Logs extracts them from the function's log, so that a request makes no call for them. Each metric has a value
for each verdict, and the values are 0 or 1 except those of `KnownWords` and `Score`. So the average of `NotSure` is the
share of verdicts that are not sure, its sum their number, and its sample count the number of all verdicts. Source: the
CloudWatch user guide, "Specification: Embedded metric format".
"""

from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE = "Verdict"
STAGE, VARIANT = "Stage", "Variant"  # dimensions
LABELS = POSITIVE, NEGATIVE, NOT_SURE = ("Positive", "Negative", "NotSure")
KNOWN_WORDS, SCORE = "KnownWords", "Score"  # shares, 0..1
METRICS = (*LABELS, KNOWN_WORDS, SCORE)
MAX_VALUES = 100  # of a metric in one line; a request has at most as many reviews

Metrics = Mapping[str, Sequence[float]]  # metric -> a value for each verdict


def log_fields(metrics: Metrics, stage: str, variant: str, seconds: float) -> dict[str, Any]:
    """Return the fields that a log line needs to become metrics, none if there are no metrics.

    `seconds` is the time since 1970. Without a variant the metrics have only the stage, since CloudWatch ignores
    metrics with an empty dimension.
    """
    if not metrics:
        return {}
    dimensions = {STAGE: stage} | ({VARIANT: variant} if variant else {})
    sets = [[STAGE], [STAGE, VARIANT]] if variant else [[STAGE]]
    directive = {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": [{"Name": name} for name in metrics]}
    metadata = {"Timestamp": round(seconds * 1000), "CloudWatchMetrics": [directive]}
    values = {name: list(numbers) for name, numbers in metrics.items()}
    return {"_aws": metadata, **dimensions, **values}
