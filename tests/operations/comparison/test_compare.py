"""Two variants on the simulated AWS, compared by their metrics, the same texts, and labelled answers."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import release as packaged
from chalicelib.embedded_metrics import log_fields
from chalicelib.release import Release
from operations.aws.command import Aws
from operations.aws.errors import AwsError, translate_errors
from operations.comparison.compare import Comparison, Evidence, compare, configured_since, document
from operations.comparison.confidence_sequence import ALPHA
from operations.comparison.decision import Result
from operations.comparison.labelled_answers import Answer
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.invocation_metrics import NAMESPACE
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.split import SplitSpec, split
from simulator.apps.embedded_metrics import metric_data
from simulator.aws import SimulatedAws
from simulator.faults.endpoint_faults import EndpointFault
from tests.operations.candidates import WORDS, small_candidate

BASELINE, NEW = small_candidate(seed=1), small_candidate("challenger", seed=2)
RELEASE: Release = replace(packaged.load(), encoder=BASELINE.encoder)
REVIEWS = [" ".join(WORDS[:count]) for count in range(1, len(WORDS) + 1)]
MINUTE = timedelta(minutes=1)
METRICS_ALONE = Evidence()


@pytest.fixture
def endpoint(aws: Aws, stage: str) -> DeployedEndpoint:
    """An endpoint with 90% of the traffic on `release` and 10% on `challenger`."""
    deploy(aws, BASELINE, DeploymentSpec(stage, HostingSpec("ml.m5.large", 1)), yes=True)
    weights = {"release": 90.0, "challenger": 10.0}
    return split(aws, SplitSpec(stage, BASELINE.encoder.fingerprint, [BASELINE, NEW], weights), yes=True)


def report_calls(aws: Aws, endpoint: DeployedEndpoint, variant: str, calls: int, failed: int = 0) -> None:
    """Report a variant's calls to CloudWatch, each of 20 ms."""
    sums = {"Invocations": calls, "Invocation5XXErrors": failed, "ModelLatency": calls * 20_000}
    dimensions = [{"Name": "EndpointName", "Value": endpoint.name}, {"Name": "VariantName", "Value": variant}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": datetime.now(UTC), "Value": float(value)}
        for name, value in sums.items()
    ]
    aws.account.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def report_verdicts(aws: Aws, stage: str, variant: str, positive: int, negative: int) -> None:
    """Report verdicts of the app, as its log line does."""
    ones = [1.0] * positive + [0.0] * negative
    metrics = {"Positive": ones, "Negative": [1 - one for one in ones], "NotSure": [0.0] * len(ones)}
    metrics |= {"KnownWords": [0.9] * len(ones), "Score": ones}
    fields = log_fields(metrics, stage, variant, datetime.now(UTC).timestamp())
    for namespace, data in metric_data([json.dumps(fields)]).items():
        aws.account.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def run(aws: Aws, endpoint: DeployedEndpoint, evidence: Evidence = METRICS_ALONE) -> Comparison:
    now = datetime.now(UTC)
    return compare(aws, endpoint, RELEASE, evidence, configured_since(aws.account, endpoint) - MINUTE, now + MINUTE)


def answers(variant: str, right: int, wrong: int, source: str = "feedback") -> list[Answer]:
    """Return labelled answers of both classes."""
    time = f"{datetime.now(UTC) + MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    labels = ["positive", "negative"]
    correct = [Answer(time, "x", 0.9 - 0.8 * (i % 2), variant, labels[i % 2], source) for i in range(right)]
    return [*correct, *(Answer(time, "x", 0.1 + 0.8 * (i % 2), variant, labels[i % 2], source) for i in range(wrong))]


def test_variants_are_shown_side_by_side(aws: Aws, stage: str, endpoint: DeployedEndpoint) -> None:
    report_calls(aws, endpoint, "release", 900)
    report_calls(aws, endpoint, "challenger", 100, failed=2)
    report_verdicts(aws, stage, "release", positive=60, negative=40)
    report_verdicts(aws, stage, "challenger", positive=20, negative=20)
    found = document(run(aws, endpoint))
    baseline, new = found["variants"]
    assert (baseline["variant"], baseline["share"], baseline["verdicts"]) == ("release", 0.9, 100)
    assert (baseline["positive"], baseline["negative"], baseline["not_sure"]) == (0.6, 0.4, 0.0)
    assert baseline["known_words"] == pytest.approx(0.9)
    assert new["calls"] >= 100
    assert new["errors"] == 2
    assert new["model_milliseconds"] == pytest.approx(20, rel=0.3)
    assert 0 < new["model_percentiles"]["p50"] <= new["model_percentiles"]["p99"]
    assert new["overhead_percentiles"] is None  # the simulator does not report it
    (comparison,) = found["comparisons"]
    assert comparison["differences"]["positive"]["difference"] == pytest.approx(-0.1)
    assert comparison["differences"]["positive"]["low"] < -0.1 < comparison["differences"]["positive"]["high"]
    assert comparison["result"] == Result.UNDECIDED
    assert "no answer has a label yet" in comparison["sentence"]


def test_feedback_since_the_split_decides(aws: Aws, endpoint: DeployedEndpoint) -> None:
    for variant in ("release", "challenger"):
        report_calls(aws, endpoint, variant, 1000)
    records = [*answers("release", 400, 100), *answers("challenger", 490, 10)]
    old = [replace(record, time="2020-01-01T00:00:00Z") for record in answers("release", 9000, 0)]
    found = run(aws, endpoint, Evidence([*records, *old]))
    assert [variant.labelled.count for variant in found.variants] == [500, 500]
    (comparison,) = found.comparisons
    assert comparison.decision.result is Result.WINS
    assert comparison.decision.command.startswith("verdict split challenger=1 ")


def test_both_variants_score_the_same_texts(aws: Aws, endpoint: DeployedEndpoint) -> None:
    (comparison,) = run(aws, endpoint, Evidence(reviews=REVIEWS)).comparisons
    assert comparison.agreement
    assert comparison.agreement.texts == len(REVIEWS)
    assert 0 <= comparison.agreement.same_verdict <= 1
    assert comparison.agreement.mean_difference > 0


def test_a_labelled_sample_is_scored_by_both_variants(aws: Aws, endpoint: DeployedEndpoint) -> None:
    labels: Sequence[str] = ("positive", "negative")
    records = [
        Answer("2026-01-01T00:00:00Z", f"{review} {number}", 0.5, "release", labels[number % 2], "sample")
        for number in range(20)
        for review in REVIEWS
    ]
    (comparison,) = run(aws, endpoint, Evidence(records)).comparisons
    difference = comparison.differences["accuracy"]
    assert difference.count == difference.clock == len(records)
    assert comparison.agreement


def test_a_throttled_variant_is_called_again(aws: Aws, simulated: SimulatedAws, endpoint: DeployedEndpoint) -> None:
    simulated.backend().endpoints[endpoint.name].faults.inject(EndpointFault("throttled"), 2)
    (comparison,) = run(aws, endpoint, Evidence(reviews=REVIEWS)).comparisons
    assert comparison.agreement


def test_one_variant_is_nothing_to_compare(aws: Aws, stage: str) -> None:
    alone = deploy(aws, BASELINE, DeploymentSpec(stage, HostingSpec("ml.m5.large", 1)), yes=True)
    with pytest.raises(AwsError, match="nothing to compare") as caught:
        run(aws, alone)
    assert caught.value.kind == "one-variant"


def test_a_variant_without_a_call_cannot_be_compared(aws: Aws, endpoint: DeployedEndpoint) -> None:
    future = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(AwsError, match="got no request") as caught:
        compare(aws, endpoint, RELEASE, Evidence(), future, future + MINUTE)
    assert caught.value.kind == "no-traffic"


def test_a_metric_that_cannot_be_read_is_an_error(
    aws: Aws, simulated: SimulatedAws, endpoint: DeployedEndpoint
) -> None:
    simulated.fault_injector.inject("GetMetricStatistics", "denied")
    try:
        with translate_errors(), pytest.raises(Exception, match="AccessDenied"):
            run(aws, endpoint)
    finally:
        simulated.fault_injector.clear()


def test_several_new_variants_share_the_error_probability(aws: Aws, endpoint: DeployedEndpoint) -> None:
    third = replace(endpoint.variants[1], name="third")
    three = replace(endpoint, variants=(*endpoint.variants, third))
    for variant in three.variants:
        report_calls(aws, endpoint, variant.name, 100)
    comparisons = run(aws, three).comparisons
    assert {comparison.new for comparison in comparisons} == {"challenger", "third"}
    assert all(comparison.differences["error_rate"].alpha == ALPHA / 4 for comparison in comparisons)
