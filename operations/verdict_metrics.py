"""The metrics of verdicts, which the app writes in its log, read from CloudWatch for a stage or one of its variants."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.embedded_metrics import KNOWN_WORDS, NAMESPACE, NEGATIVE, NOT_SURE, POSITIVE, SCORE, STAGE, VARIANT
from operations.aws.account import Account
from operations.endpoint.invocation_metrics import period_seconds

LABELS = ("positive", "negative", "not_sure")  # the fields of `VerdictFigures` that count labels


@dataclass(frozen=True)
class VerdictFigures:
    """The number of verdicts over a period, the number with each label, and mean known words and score, 0..1.

    The metrics are read one after another, and verdicts arrive meanwhile. So the number of verdicts is the sum of those
    with each label, and a mean is over its own metric's values.
    """

    verdicts: int
    positive: int
    negative: int
    not_sure: int
    known_words: float
    score: float

    @property
    def shares(self) -> dict[str, float]:
        """The share of each label, 0..1."""
        return {label: getattr(self, label) / self.verdicts for label in LABELS}


def read(account: Account, stage: str, since: datetime, until: datetime, variant: str = "") -> VerdictFigures | None:
    """Return the figures of a stage, or of one variant; None if no verdict was reported.

    Metrics arrive a few minutes late. Raises `ClientError` if they cannot be read.
    """
    totals = {
        name: _total(account, name, stage, since, until, variant)
        for name in (POSITIVE, NEGATIVE, NOT_SURE, KNOWN_WORDS, SCORE)
    }
    labels = [round(totals[name][0]) for name in (POSITIVE, NEGATIVE, NOT_SURE)]
    if not any(labels):
        return None
    means = [total / max(count, 1) for total, count in (totals[KNOWN_WORDS], totals[SCORE])]
    return VerdictFigures(sum(labels), *labels, *means)


def _total(
    account: Account, metric: str, stage: str, since: datetime, until: datetime, variant: str
) -> tuple[float, int]:
    """Return the sum of a metric's values over a period, and their number. The period is extended to whole minutes."""
    since, until = since.replace(second=0, microsecond=0), until + timedelta(minutes=1)
    dimensions = {STAGE: stage} | ({VARIANT: variant} if variant else {})
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=since,
        EndTime=until,
        Period=period_seconds(until - since),
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points)), round(sum(point["SampleCount"] for point in points))
