import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.embedded_metrics import log_fields
from operations import last_day, status
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.last_day import LastDay, TrainingFigures
from operations.verdict_metrics import VerdictFigures
from simulator.apps.embedded_metrics import metric_data
from simulator.aws import SimulatedAws
from tests.operations.existing import FINGERPRINT, create_endpoint
from training.project import ROOT

NOW = datetime.now(UTC)
TRAINING = TrainingFigures({"positive": 0.43, "negative": 0.43, "not_sure": 0.14}, 0.9)
METRICS = {
    "Positive": [1, 1, 0, 0],
    "Negative": [0, 0, 1, 0],
    "NotSure": [0, 0, 0, 1],
    "KnownWords": [1.0, 1.0, 0.8, 0.4],
    "Score": [0.9, 0.9, 0.1, 0.5],
}


def report(aws: Aws, stage: str, when: datetime, variant: str = "release") -> None:
    """Report four verdicts, as the app's log line does."""
    line = json.dumps(log_fields(METRICS, stage, variant, when.timestamp()))
    for namespace, data in metric_data([line]).items():
        aws.account.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def test_the_last_day_is_counted(aws: Aws) -> None:
    report(aws, "drifting", NOW - timedelta(hours=1), "release")
    report(aws, "drifting", NOW - timedelta(hours=23), "linear")
    report(aws, "drifting", NOW - timedelta(hours=25))
    report(aws, "other", NOW - timedelta(hours=1))
    figures = last_day.read_last_day(aws.account, "drifting", NOW).figures
    assert figures
    assert (figures.verdicts, figures.positive, figures.negative, figures.not_sure) == (8, 4, 2, 2)
    assert (figures.known_words, figures.score) == (pytest.approx(0.8), pytest.approx(0.6))


def test_verdicts_that_arrive_between_two_reads_are_counted_consistently(aws: Aws) -> None:
    report(aws, "dev", NOW)
    reads: list[str] = []

    def report_more(params: dict[str, Any], **_details: object) -> None:
        if "MetricName" in params:
            reads.append(params["MetricName"])
            for _ in range(5):
                report(aws, "dev", NOW)

    events = aws.account.client("cloudwatch").meta.events
    events.register("before-parameter-build.cloudwatch.GetMetricStatistics", report_more)
    found = last_day.read_last_day(aws.account, "dev", NOW).figures
    events.unregister("before-parameter-build.cloudwatch.GetMetricStatistics", report_more)
    assert found
    assert len(reads) == 5
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert found.known_words <= 1
    assert found.score <= 1


def test_a_denied_read_is_reported_as_such(aws: Aws, simulated: SimulatedAws) -> None:
    report(aws, "denied", NOW)
    simulated.fault_injector.inject("GetMetricStatistics", "denied")
    found = last_day.read_last_day(aws.account, "denied", NOW)
    (line,) = last_day.lines(found, TRAINING)
    assert "could not be read: These credentials do not allow" in line
    assert last_day.document(found, TRAINING)["verdicts"] is None


def test_other_failed_reads_are_errors(aws: Aws, simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("GetMetricStatistics", "expired")
    with pytest.raises(Exception, match="Expired"):
        last_day.read_last_day(aws.account, "expired", NOW)


def test_a_day_without_a_verdict_is_reported_as_such() -> None:
    assert list(last_day.lines(LastDay(None), TRAINING)) == ["  no verdict in the last day"]
    assert last_day.document(LastDay(None), None)["verdicts"] == 0


def test_each_figure_is_beside_that_of_the_training_reviews() -> None:
    found = LastDay(VerdictFigures(1200, 600, 240, 360, 0.85, 0.6))
    verdicts, known = last_day.lines(found, TRAINING)
    heading, _, shares = verdicts.partition(": ")
    assert heading == "  1,200 verdicts in the last day (and on the training reviews)"
    assert shares == "positive 50.0% (43.0%), negative 20.0% (43.0%), not sure 30.0% (14.0%)"
    assert known == "    known words 85.0% (99.5% of reviews: 90% or more)"
    assert "(" not in "".join(last_day.lines(found, None))


def test_the_training_figures_are_those_of_the_packaged_report() -> None:
    figures = last_day.training_figures(ROOT / "model")
    assert figures
    assert sum(figures.shares.values()) == pytest.approx(1.0)
    answered = json.loads((ROOT / "model" / "report.json").read_text())["asked"]["cross-validation"]["answered"]
    assert figures.shares["not_sure"] == pytest.approx(1 - answered, abs=0.002)


def test_without_a_report_there_are_no_training_figures(tmp_path: Path) -> None:
    assert last_day.training_figures(tmp_path) is None
    (tmp_path / "report.json").write_text("{}")
    assert last_day.training_figures(tmp_path) is None


def test_status_shows_the_last_day_of_stages_with_an_endpoint(aws: Aws) -> None:
    create_endpoint(aws, "daily")
    report(aws, "daily", NOW - timedelta(hours=1))
    printed: list[str] = []
    found = inventory.take(aws.account, "daily")
    status.show(aws.account, found, NOW, FINGERPRINT, printed.append)
    assert any(line.startswith("  4 verdicts in the last day") for line in printed)
    assert status.report(aws.account, found, NOW, FINGERPRINT)["verdicts_last_day"]["daily"]["verdicts"] == 4
