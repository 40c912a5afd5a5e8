import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chalicelib import release
from cli.main import verdict
from operations.aws.command import Aws
from simulator.aws import SimulatedAws
from tests.operations.existing import create_endpoint

Call = Callable[..., Result]


@pytest.fixture
def call(simulated: SimulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs a command in an empty folder."""
    for name, value in {**simulated.environment, "COLUMNS": "250"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(verdict, arguments)


def test_a_decision_and_its_command_are_printed(aws: Aws, call: Call, tmp_path: Path) -> None:
    name = create_endpoint(aws, "duel", release.load().encoder.fingerprint, instances=1, weights=(9.0, 1.0))
    for variant, calls in (("v1", 90.0), ("v2", 10.0)):
        dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": variant}]
        data = [{"MetricName": "Invocations", "Dimensions": dimensions, "Value": calls}]
        for metric, microseconds in (("ModelLatency", 12_000.0), ("OverheadLatency", 3_500.0)):
            data.append({"MetricName": metric, "Dimensions": dimensions, "Value": microseconds})
        aws.account.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=data)
    shown = call("compare", "--stage", "duel")
    assert shown.exit_code == 0
    assert "Undecided: no answer has a label yet." in shown.output
    assert "To act on it: verdict split v1=50 v2=50 --stage duel" in shown.output
    assert "12.0, 12.0" in shown.output
    assert "3.5, 3.5" in shown.output
    exported = tmp_path / "feedback.jsonl"
    exported.write_text("")
    document = json.loads(call("compare", "--stage", "duel", "--feedback", str(exported), "--json").stdout)
    assert [variant["calls"] for variant in document["variants"]] == [90, 10]
    assert document["comparisons"][0]["result"] == "undecided"


def test_an_absent_endpoint_is_an_error(call: Call) -> None:
    refused = call("compare", "--stage", "nowhere")
    assert refused.exit_code == 1
    assert "There is no endpoint" in str(getattr(refused.exception, "detail", ""))
