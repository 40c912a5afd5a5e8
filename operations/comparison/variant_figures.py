"""The figures of one variant of an endpoint on live traffic.

Calls, latency and errors are SageMaker's metrics; verdicts are the app's (see `chalicelib.embedded_metrics`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from operations.aws import names
from operations.aws.account import Account
from operations.comparison.confidence_sequence import Outcomes
from operations.comparison.labelled_answers import FeedbackRecord, outcomes_of
from operations.endpoint.endpoint_state import DeployedEndpoint, DeployedVariant
from operations.endpoint.invocation_metrics import Latency, invocations, latency, metric_sum
from operations.verdict_metrics import VerdictFigures, read


@dataclass(frozen=True)
class VariantFigures:
    """A variant's figures since the comparison began.

    `share` is its share of the traffic by weight, `model_milliseconds` the mean time of the model for a call, None
    without calls; `model` and `overhead` are the percentiles of that time and of SageMaker's own, None if unknown;
    `verdicts` is None if the app reported none; `labelled` are its labelled answers.
    """

    name: str
    release: str
    share: float
    calls: int
    model_milliseconds: float | None
    model: Latency | None
    overhead: Latency | None
    errors: int  # responses with a status of 4XX or 5XX
    verdicts: VerdictFigures | None
    labelled: Outcomes

    @property
    def failed(self) -> Outcomes:
        """The calls, with a failed one as 1."""
        return Outcomes(min(self.errors, self.calls), self.calls)


def read_figures(
    account: Account,
    endpoint: DeployedEndpoint,
    variant: DeployedVariant,
    feedback: Sequence[FeedbackRecord],
    since: datetime,
    until: datetime,
) -> VariantFigures:
    """Read a variant's metrics, and count its labelled answers; raises `ClientError` if a metric cannot be read."""
    calls = invocations(account, endpoint.name, variant.name, since, until)
    sums = {
        metric: metric_sum(account, endpoint.name, variant.name, metric, since, until)
        for metric in ("ModelLatency", "Invocation4XXErrors", "Invocation5XXErrors")
    }
    return VariantFigures(
        name=variant.name,
        release=names.release_of_model(variant.model),
        share=variant.weight / (sum(each.weight for each in endpoint.variants) or 1.0),
        calls=calls,
        model_milliseconds=sums["ModelLatency"] / calls / 1000 if calls else None,
        model=latency(account, endpoint.name, variant.name, "ModelLatency", since, until),
        overhead=latency(account, endpoint.name, variant.name, "OverheadLatency", since, until),
        errors=round(sums["Invocation4XXErrors"] + sums["Invocation5XXErrors"]),
        verdicts=read(account, endpoint.stage, since, until, variant.name),
        labelled=outcomes_of(feedback, variant.name),
    )
