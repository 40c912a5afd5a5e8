"""The steps on the command line, with the AWS that AWS_ENDPOINT_URL names."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import verdict
from operations.aws.command import Aws
from simulator.aws import SimulatedAws
from tests.operations.existing import create_endpoint, create_model

Call = Callable[..., Result]


@pytest.fixture
def call(simulated: SimulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs a step in an empty folder."""
    for name, value in {**simulated.environment, "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(verdict, arguments)


def test_status_shows_all_stages_or_one(aws: Aws, call: Call) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    everything, of_one = call("status").output, call("status", "--stage", "one").output
    assert "Stage one:" in everything
    assert "Stage two:" in everything
    assert "Stage one" in of_one
    assert "Stage two" not in of_one


def test_status_writes_one_json_document(aws: Aws, call: Call) -> None:
    name = create_endpoint(aws, "doc")
    document = json.loads(call("status", "--stage", "doc", "--json").stdout)
    assert [resource["name"] for resource in document["resources"] if resource["kind"] == "endpoint"] == [name]


def test_teardown_exits_with_1_if_declined_and_0_if_done(aws: Aws, call: Call) -> None:
    create_model(aws, "removed")
    refused = call("teardown", "--stage", "removed", "--no-app")
    assert refused.exit_code == 1
    assert getattr(refused.exception, "type", "") == "declined"
    done = call("teardown", "--stage", "removed", "--no-app", "--yes")
    assert done.exit_code == 0
    assert "Deleted: model verdict-removed-" in done.output
    assert "There is nothing to delete." in call("teardown", "--stage", "removed", "--no-app").output


def test_invalid_options_of_teardown_are_refused(call: Call) -> None:
    assert "'roles' is not one of bucket, role, logs, packages" in call("teardown", "--with", "roles").output
    assert "Use either --stage or --all-stages" in call("teardown", "--stage", "dev", "--all-stages").output
    assert "Use either --expired or --jobs" in call("teardown", "--expired", "--jobs").output
    assert "A stage cannot be named" in str(getattr(call("status", "--stage", "Dev").exception, "detail", ""))


def test_retire_names_the_required_endpoints(call: Call) -> None:
    assert "All endpoints of stage dev are required: verdict-dev-" in call("retire").output


def test_releases_are_listed(aws: Aws, call: Call) -> None:
    create_endpoint(aws, "rel")
    (found,) = json.loads(call("releases", "--json").stdout)
    assert f"rel: v1 of verdict-rel-{found['vocabulary_fingerprint']}" in found["deployed"]


def test_a_missing_log_is_reported(call: Call) -> None:
    assert "There is no log yet in /aws/lambda/verdict-dev" in call("logs", "app").output
    assert "'1 week' is not a duration" in call("logs", "--since", "1 week").output
