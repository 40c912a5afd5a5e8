from chalicelib import embedded_metrics
from chalicelib.embedded_metrics import METRICS, NAMESPACE
from chalicelib.errors import EmptyReviewError
from chalicelib.sentiment import NEGATIVE, NOT_SURE, POSITIVE, PredictResponse, Verdict

SECONDS = 1_700_000_000.25
RESPONSE = PredictResponse(
    [
        Verdict(POSITIVE, 0.97, 0.9, True, ()),
        EmptyReviewError("The review is empty."),
        Verdict(NOT_SURE, 0.5, 1.0, True, ()),
        Verdict(NEGATIVE, 0.01, 1.0, True, ()),
    ],
    "release",
    3,
)


def test_each_verdict_has_a_value_of_each_metric() -> None:
    metrics = RESPONSE.metrics
    assert tuple(metrics) == METRICS
    assert (metrics["Positive"], metrics["NotSure"], metrics["Negative"]) == ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    assert (metrics["KnownWords"], metrics["Score"]) == ([0.9, 1.0, 1.0], [0.97, 0.5, 0.01])


def test_errors_alone_have_no_metrics() -> None:
    response = PredictResponse([EmptyReviewError("The review is empty.")], "", 0)
    assert response.metrics == {}
    assert embedded_metrics.log_fields(response.metrics, "dev", "", SECONDS) == {}


def test_a_line_names_its_metrics_and_their_dimensions() -> None:
    fields = embedded_metrics.log_fields(RESPONSE.metrics, "prod", "release", SECONDS)
    assert fields["_aws"]["Timestamp"] == 1_700_000_000_250
    (directive,) = fields["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert directive["Dimensions"] == [["Stage"], ["Stage", "Variant"]]
    assert [metric["Name"] for metric in directive["Metrics"]] == list(METRICS)
    assert (fields["Stage"], fields["Variant"]) == ("prod", "release")
    assert all(len(fields[name]) == 3 for name in METRICS)


def test_an_unknown_variant_is_no_dimension() -> None:
    fields = embedded_metrics.log_fields(RESPONSE.metrics, "prod", "", SECONDS)
    assert fields["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage"]]
    assert "Variant" not in fields
