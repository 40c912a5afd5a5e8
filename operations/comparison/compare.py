"""The step `compare`: the variants of a split side by side, and which of them is better, from live traffic.

Figures count from the creation of the endpoint's configuration, since when the same variants have been running. The
variant with the largest weight is the baseline, and each other one is compared with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chalicelib.release import Release
from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.comparison import agreement, decision
from operations.comparison.agreement import MAX_TEXTS, Agreement
from operations.comparison.confidence_sequence import ALPHA, Difference, Outcomes, of_two_samples
from operations.comparison.decision import ERROR_RATE, Contest, Decision
from operations.comparison.labelled_answers import FEEDBACK, SAMPLE, FeedbackRecord, has_label, labels_of
from operations.comparison.variant_figures import VariantFigures, read_figures
from operations.endpoint import endpoint_config
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.verdict_metrics import LABELS, VerdictFigures

ACCURACY = "accuracy"
DECIDING = 2  # differences that decide, error rate and accuracy, among which the probability of an error is divided
_EVALUATION = "cross-validation"  # of the release, whose accuracy plans a comparison without labels


@dataclass(frozen=True)
class VariantComparison:
    """A new variant compared with the baseline: the differences that are known, by name, and the decision."""

    new: str
    baseline: str
    differences: Mapping[str, Difference]
    agreement: Agreement | None
    decision: Decision


@dataclass(frozen=True)
class Comparison:
    """The variants of an endpoint, the baseline first, and each other one compared with it."""

    endpoint: str
    stage: str
    since: datetime
    until: datetime
    variants: tuple[VariantFigures, ...]
    comparisons: tuple[VariantComparison, ...]


@dataclass(frozen=True)
class Evidence:
    """What is known beside the metrics: stored answers, and reviews that all variants will score."""

    records: Sequence[FeedbackRecord] = ()
    reviews: Sequence[str] = ()

    @property
    def sampled(self) -> list[FeedbackRecord]:
        """The labelled answers of a random sample, the first `MAX_TEXTS` of them."""
        return [record for record in self.records if record.source == SAMPLE and has_label(record)][:MAX_TEXTS]

    @property
    def texts(self) -> list[str]:
        """The reviews that all variants score: the labelled sample, then the given reviews or the stored ones."""
        others = self.reviews or [record.review for record in self.records if record.review.strip()]
        sampled = [record.review for record in self.sampled]
        return list(dict.fromkeys([*sampled, *others]))[:MAX_TEXTS]

    def feedback_since(self, since: datetime) -> list[FeedbackRecord]:
        """Return the labelled answers that users sent back, of the time since the comparison began."""
        beginning = names.utc_text(since)
        return [
            record
            for record in self.records
            if record.source == FEEDBACK and has_label(record) and record.time >= beginning
        ]


def configured_since(account: Account, endpoint: DeployedEndpoint) -> datetime:
    """Return when the endpoint's configuration was created, from which on its variants have been the same."""
    described = endpoint_config.describe(account, endpoint.configuration)
    return described["CreationTime"] if described else endpoint.created


def compare(
    aws: Aws, endpoint: DeployedEndpoint, release: Release, evidence: Evidence, since: datetime, until: datetime
) -> Comparison:
    """Compare an endpoint's variants; raises `AwsError` if there is nothing to compare, or no call to compare.

    Raises `ClientError` if a metric cannot be read, and `EndpointError` if a variant cannot score a text.
    """
    if len(endpoint.variants) < 2:
        raise AwsError(
            f"The endpoint {endpoint.name} has one variant, so there is nothing to compare. Add another model: "
            f"verdict split release=90 NAME=10 --stage {endpoint.stage}",
            "one-variant",
        )
    feedback = evidence.feedback_since(since)
    ordered = sorted(endpoint.variants, key=lambda variant: -variant.weight)
    figures = tuple(read_figures(aws.account, endpoint, variant, feedback, since, until) for variant in ordered)
    _check_traffic(endpoint, figures, evidence, since)
    texts = evidence.texts
    scores = {
        variant.name: agreement.score_texts(aws, release.encoder, endpoint.name, variant.name, texts) if texts else []
        for variant in ordered
    }
    judge = _Judge(endpoint, release, evidence, feedback, scores, ALPHA / (DECIDING * (len(ordered) - 1)))
    comparisons = tuple(judge.compare(new, figures[0]) for new in figures[1:])
    return Comparison(endpoint.name, endpoint.stage, since, until, figures, comparisons)


def _check_traffic(
    endpoint: DeployedEndpoint, figures: Sequence[VariantFigures], evidence: Evidence, since: datetime
) -> None:
    """Raise `AwsError` if a variant got no call, unless there are texts that all variants score."""
    silent = [variant.name for variant in figures if not variant.calls]
    if silent and not evidence.texts:
        raise AwsError(
            f"{', '.join(silent)} of {endpoint.name} got no request since {names.utc_text(since)}, so there is nothing "
            "to compare yet. Metrics arrive a few minutes late. Give it traffic with `verdict split`, or compare on a "
            "file of reviews: --sample FILE",
            "no-traffic",
        )


@dataclass(frozen=True)
class _Judge:
    """The comparison of each new variant with the baseline; `scores` are those of the texts, by variant."""

    endpoint: DeployedEndpoint
    release: Release
    evidence: Evidence
    feedback: Sequence[FeedbackRecord]
    scores: Mapping[str, Sequence[float]]
    alpha: float

    def compare(self, new: VariantFigures, baseline: VariantFigures) -> VariantComparison:
        """Compare a new variant with the baseline."""
        differences = dict(self._differences(new, baseline))
        sampled = self.evidence.sampled
        contest = Contest(
            self.endpoint.stage,
            new.name,
            baseline.name,
            new.share,
            baseline.share,
            differences.get(ERROR_RATE),
            differences.get(ACCURACY),
            labels_of(sampled or self._feedback_of(new, baseline)),
            self.release.facts.metrics.get(_EVALUATION, {}).get("accuracy", 0.9),
            self.alpha,
        )
        return VariantComparison(
            new.name, baseline.name, differences, self._agreement(new, baseline), decision.decide(contest)
        )

    def _differences(self, new: VariantFigures, baseline: VariantFigures) -> Iterator[tuple[str, Difference]]:
        """Yield the differences of error rate, label shares and accuracy, those that are known."""
        if new.calls and baseline.calls:
            yield ERROR_RATE, of_two_samples(new.failed, baseline.failed, self.alpha)
        if new.verdicts and baseline.verdicts:
            for label in LABELS:
                yield (
                    label,
                    of_two_samples(_labelled(new.verdicts, label), _labelled(baseline.verdicts, label), self.alpha),
                )
        sampled = self.evidence.sampled
        if sampled:
            scores, others = self._scores_of_sample(new.name), self._scores_of_sample(baseline.name)
            yield ACCURACY, agreement.paired_accuracy(sampled, scores, others, self.alpha)
        elif new.labelled.count and baseline.labelled.count:
            yield ACCURACY, of_two_samples(new.labelled, baseline.labelled, self.alpha)

    def _scores_of_sample(self, variant: str) -> list[float]:
        """Return a variant's scores of the labelled sample."""
        by_text = dict(zip(self.evidence.texts, self.scores[variant], strict=True))
        return [by_text[record.review] for record in self.evidence.sampled]

    def _feedback_of(self, *variants: VariantFigures) -> list[FeedbackRecord]:
        """Return the labelled answers of some variants."""
        known = {variant.name for variant in variants}
        return [record for record in self.feedback if record.variant in known]

    def _agreement(self, new: VariantFigures, baseline: VariantFigures) -> Agreement | None:
        """Return the agreement of two variants on the texts, None without texts."""
        texts = self.evidence.texts
        if not texts:
            return None
        return agreement.measure(texts, self.scores[new.name], self.scores[baseline.name], self.release)


def _labelled(figures: VerdictFigures, label: str) -> Outcomes:
    """Return verdicts as outcomes, with 1 for those with a label."""
    return Outcomes(getattr(figures, label), figures.verdicts)


def document(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON data; shares and differences are fractions of 1."""
    return {
        "endpoint": found.endpoint,
        "stage": found.stage,
        "since": names.utc_text(found.since),
        "until": names.utc_text(found.until),
        "variants": [_variant_document(variant) for variant in found.variants],
        "comparisons": [_comparison_document(comparison) for comparison in found.comparisons],
    }


def _variant_document(variant: VariantFigures) -> dict[str, Any]:
    """Return a variant as JSON data; figures without a value are null."""
    verdicts, labelled = variant.verdicts, variant.labelled
    return {
        "variant": variant.name,
        "release": variant.release,
        "share": variant.share,
        "calls": variant.calls,
        "model_milliseconds": variant.model_milliseconds,
        "model_percentiles": asdict(variant.model) if variant.model else None,
        "overhead_percentiles": asdict(variant.overhead) if variant.overhead else None,
        "errors": variant.errors,
        "verdicts": verdicts.verdicts if verdicts else 0,
        **{label: verdicts.shares[label] if verdicts else None for label in LABELS},
        "known_words": verdicts.known_words if verdicts else None,
        "labelled": labelled.count,
        "labelled_right": labelled.ones,
    }


def _comparison_document(comparison: VariantComparison) -> dict[str, Any]:
    """Return a comparison of two variants as JSON data; the ends of an unknown interval are null."""
    differences = {
        name: {
            "difference": difference.value,
            "low": difference.low if difference.clock else None,
            "high": difference.high if difference.clock else None,
        }
        for name, difference in comparison.differences.items()
    }
    return {
        "new": comparison.new,
        "baseline": comparison.baseline,
        "differences": differences,
        "agreement": asdict(comparison.agreement) if comparison.agreement else None,
        **asdict(comparison.decision),
    }
