"""The app is found on AWS by its names, and deleted by the real `chalice delete` even without a record."""

import json
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from botocore.stub import Stubber

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.inventory import inventory
from operations.inventory.deployed_app import PROJECT, STACK_TAG, ChaliceRecord, apps, read_record
from operations.inventory.inventory import Inventory
from operations.inventory.resources import Kind, Resource
from operations.inventory.search import Search
from operations.teardown.app_deletion import API_SECONDS, Chalice, clear_records, delete_api, delete_app, run_chalice
from operations.teardown.teardown import Scope, all_deletions, teardown
from simulator.aws import SimulatedAws
from tests.operations.apps import create_api, create_app, create_role


@pytest.fixture
def chalice(simulated: SimulatedAws) -> Chalice:
    """The real `chalice delete`, on the simulated AWS."""
    return partial(run_chalice, environment={**os.environ, **simulated.environment})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A minimal Chalice project with this project's configuration."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT / ".chalice", folder / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    (folder / "app.py").write_text("from chalice import Chalice\napp = Chalice(app_name='verdict')\n", encoding="utf-8")
    return folder


def app_of(aws: Aws, stage: str) -> Resource | None:
    """Return a stage's app from the inventory."""
    found = inventory.take(aws.account, stage, ["the app"]).of(Kind.APP)
    return found[0] if found else None


def test_an_app_without_a_record_is_found_and_deleted_by_chalice(aws: Aws, chalice: Chalice, project: Path) -> None:
    create_app(aws, "dev")
    found = app_of(aws, "dev")
    assert found is not None
    assert found.state == "deployed"
    assert found.facts["url"].endswith(".execute-api.us-east-1.amazonaws.com/dev/")
    delete = partial(delete_app, project=project, chalice=chalice)
    teardown(aws, Scope("dev"), True, all_deletions(delete))
    assert app_of(aws, "dev") is None
    assert not aws.account.client("apigateway").get_rest_apis()["items"]
    assert read_record("dev", project).resources == {}
    assert found.facts["url"] in str(aws.console.file.getvalue())  # type: ignore[attr-defined]


def tag_role(aws: Aws, stage: str, owner: str = "verdict") -> str:
    """Create a stage's role with a tag; returns its ARN."""
    arn = create_role(aws, stage)
    aws.account.client("iam").tag_role(
        RoleName=arn.rpartition("/")[2], Tags=[{"Key": "verdict:app", "Value": owner}, {"Key": "team", "Value": "any"}]
    )
    return arn


def test_an_interrupted_deletion_is_completed_despite_its_record(aws: Aws, chalice: Chalice, project: Path) -> None:
    role = tag_role(aws, "prod")
    lost = f"arn:aws:lambda:us-east-1:{aws.account.number}:function:verdict-prod"
    deleted = {"name": "api_handler", "resource_type": "lambda_function", "lambda_arn": lost}
    ChaliceRecord(read_record("prod", project).path, {"api_handler": deleted}).write()
    found = app_of(aws, "prod")
    assert found is not None
    assert found.state == "only api_handler_role"
    assert found.facts["parts"]["api_handler_role"]["role_arn"] == role
    delete_app(aws, found, project, chalice)
    assert app_of(aws, "prod") is None


def test_an_untagged_function_of_the_same_name_is_not_ours(aws: Aws) -> None:
    create_app(aws, "taken", owner="somebody")
    found = inventory.take(aws.account, "taken", ["the app"])
    assert found.of(Kind.APP) == []
    assert found.untagged == ("function verdict-taken",)


def test_a_record_for_another_account_is_not_used(aws: Aws, project: Path) -> None:
    elsewhere = "arn:aws:lambda:eu-west-1:999999999999:function:verdict-dev"
    part = {"name": "api_handler", "resource_type": "lambda_function", "lambda_arn": elsewhere}
    ChaliceRecord(read_record("dev", project).path, {"api_handler": part}).write()
    app = Resource(Kind.APP, "verdict-dev", "", "dev", facts={"url": "", "parts": {}, "more_apis": ()})
    with pytest.raises(AwsError, match="for another account or region"):
        delete_app(aws, app, project)
    clear_records(aws, Inventory(()), None, project)
    assert read_record("dev", project).resources == {"api_handler": part}


def recorded_function(aws: Aws, stage: str, project: Path) -> Path:
    """Write a Chalice record with a function; returns its path."""
    arn = f"arn:aws:lambda:us-east-1:{aws.account.number}:function:verdict-{stage}"
    record = ChaliceRecord(
        read_record(stage, project).path, {"api_handler": {"name": "api_handler", "lambda_arn": arn}}
    )
    record.write()
    return record.path


@pytest.mark.parametrize("operation", ["GetFunction", "GetRestApis"])
def test_an_app_that_could_not_be_listed_keeps_its_record(
    aws: Aws, simulated: SimulatedAws, project: Path, operation: str
) -> None:
    recorded_function(aws, "living", project)
    simulated.fault_injector.inject(operation, "denied")
    found = inventory.take(aws.account, "living", ["the app"])
    assert found.of(Kind.APP) == []
    assert found.is_unread("the app")
    clear_records(aws, found, "living", project)
    assert read_record("living", project).resources


def test_an_existing_untagged_function_keeps_its_record(aws: Aws, project: Path) -> None:
    create_app(aws, "untagged", owner="somebody")
    recorded_function(aws, "untagged", project)
    found = inventory.take(aws.account, "untagged", ["the app"])
    assert found.of(Kind.APP) == []
    clear_records(aws, found, "untagged", project)
    assert read_record("untagged", project).resources


def test_a_deletion_interrupted_before_the_role_is_completed(aws: Aws, chalice: Chalice, project: Path) -> None:
    role = tag_role(aws, "dev")
    part = {"name": "api_handler_role", "resource_type": "iam_role", "role_arn": role, "role_name": "as before"}
    ChaliceRecord(read_record("dev", project).path, {"api_handler_role": part}).write()
    assert read_record("dev", project).is_of(aws.account)
    found = app_of(aws, "dev")
    assert found is not None
    delete_app(aws, found, project, chalice)
    assert app_of(aws, "dev") is None


def test_a_record_with_another_regions_function_is_not_this_regions(aws: Aws, project: Path) -> None:
    number = aws.account.number
    parts = {
        "default-role": {"name": "default-role", "role_arn": f"arn:aws:iam::{number}:role/verdict-dev"},
        "api_handler": {"name": "api_handler", "lambda_arn": f"arn:aws:lambda:eu-west-1:{number}:function:verdict-dev"},
    }
    assert not ChaliceRecord(project, parts).is_of(aws.account)


def test_all_apis_of_an_app_are_deleted(aws: Aws, chalice: Chalice, project: Path) -> None:
    function = create_app(aws, "prod")
    recorded = create_api(aws, function)
    more = create_api(aws, function)
    path = read_record("prod", project).path
    ChaliceRecord(
        path, {"rest_api": {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": recorded}}
    ).write()
    aws.pause = lambda _seconds: None
    (found,) = apps(Search(aws.account, "prod"), project)
    assert found.facts["parts"]["rest_api"]["rest_api_id"] == recorded
    assert len(found.facts["more_apis"]) == 2
    assert more in found.facts["more_apis"]
    delete_app(aws, found, project, chalice)
    assert app_of(aws, "prod") is None
    left = [api["id"] for api in aws.account.client("apigateway").get_rest_apis()["items"]]
    assert not {recorded, *found.facts["more_apis"]}.intersection(left)


def test_apis_are_deleted_at_the_rate_that_the_gateway_allows(aws: Aws) -> None:
    client = aws.account.client("apigateway")
    pauses: list[float] = []
    account = replace(aws.account, client=lambda _service: client)
    with Stubber(client) as stubbed:
        stubbed.add_client_error("delete_rest_api", "TooManyRequestsException", "Too Many Requests")
        stubbed.add_response("delete_rest_api", {}, {"restApiId": "one"})
        delete_api(Aws(account, aws.console, pauses.append), "one")
        stubbed.assert_no_pending_responses()
    assert pauses == [API_SECONDS]


def test_the_record_of_a_deleted_app_is_emptied(aws: Aws, project: Path) -> None:
    recorded_function(aws, "dev", project)
    clear_records(aws, Inventory((Resource(Kind.APP, "verdict-dev", "", "dev"),)), None, project)
    clear_records(aws, Inventory(()), "other", project)
    assert read_record("dev", project).resources
    clear_records(aws, Inventory(()), "dev", project)
    assert read_record("dev", project).resources == {}


def test_an_app_in_a_stack_is_deleted_with_its_stack(aws: Aws) -> None:
    template = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "of-the-stack"}}}}
    cloudformation = aws.account.client("cloudformation")
    cloudformation.create_stack(
        StackName="verdict-stacked", TemplateBody=json.dumps(template), Tags=names.tags("stacked")
    )
    create_app(aws, "stacked", **{"verdict:app": "verdict", STACK_TAG: "verdict-stacked"})
    found = app_of(aws, "stacked")
    assert found is not None
    assert found.state == "stack verdict-stacked"
    delete_app(aws, found)
    assert [stack["StackStatus"] for stack in cloudformation.list_stacks()["StackSummaries"]] == ["DELETE_COMPLETE"]
    assert not aws.account.client("logs").describe_log_groups(logGroupNamePrefix="of-the-stack")["logGroups"]


def test_a_failure_of_chalice_is_reported(aws: Aws, chalice: Chalice, project: Path) -> None:
    (project / "app.py").write_text("raise ValueError('broken')\n", encoding="utf-8")
    app = Resource(Kind.APP, "verdict-dev", "", "dev", facts={"url": "", "parts": {}, "more_apis": ()})
    with pytest.raises(AwsError, match="`chalice delete --stage dev` failed"):
        delete_app(aws, app, project, chalice)
