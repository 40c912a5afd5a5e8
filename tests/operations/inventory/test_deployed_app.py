"""The app on AWS is found by its names and deleted by the real `chalice delete`, record or no record."""

import json
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from botocore.stub import Stubber

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.inventory import inventory
from operations.inventory.deployed_app import PROJECT, STACK_TAG, Record, apps, record_of
from operations.inventory.inventory import Inventory
from operations.inventory.resources import APP, Resource
from operations.inventory.search import Search
from operations.teardown.app_deletion import API_SECONDS, delete_api, delete_app, forget_gone, run_chalice
from operations.teardown.teardown import Scope, teardown, ways
from simulator.aws import SimulatedAws
from tests.operations.apps import made_api, made_app, made_role


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that chalice accepts, with this one's configuration."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT / ".chalice", folder / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    (folder / "app.py").write_text("from chalice import Chalice\napp = Chalice(app_name='verdict')\n", encoding="utf-8")
    return folder


def app_of(aws: Aws, stage: str) -> Resource | None:
    """Return what the inventory has of a stage's app."""
    found = inventory.take(aws.account, stage, ["the app"]).of(APP)
    return found[0] if found else None


def test_an_app_that_no_record_knows_is_found_and_deleted_by_chalice(
    aws: Aws, simulated: SimulatedAws, project: Path
) -> None:
    made_app(aws, "dev")
    found = app_of(aws, "dev")
    assert found is not None
    assert found.state == "deployed"
    assert found.facts["url"].endswith(".execute-api.us-east-1.amazonaws.com/dev/")
    chalice = partial(run_chalice, environment={**os.environ, **simulated.environment})
    delete = partial(delete_app, project=project, chalice=chalice)
    teardown(aws, Scope("dev"), True, ways(delete))
    assert app_of(aws, "dev") is None
    assert not aws.account.client("apigateway").get_rest_apis()["items"]
    assert record_of("dev", project).resources == {}
    assert found.facts["url"] in str(aws.console.file.getvalue())  # type: ignore[attr-defined]


def test_what_a_cut_off_deployment_left_goes_though_the_record_names_more(
    aws: Aws, simulated: SimulatedAws, project: Path
) -> None:
    role = made_role(aws, "prod")
    lost = f"arn:aws:lambda:us-east-1:{aws.account.number}:function:verdict-prod"
    gone = {"name": "api_handler", "resource_type": "lambda_function", "lambda_arn": lost}
    Record(record_of("prod", project).path, {"api_handler": gone}).write()
    found = app_of(aws, "prod")
    assert found is not None
    assert found.state == "only api_handler_role"
    assert found.facts["parts"]["api_handler_role"]["role_arn"] == role
    chalice = partial(run_chalice, environment={**os.environ, **simulated.environment})
    delete_app(aws, found, project, chalice)
    assert app_of(aws, "prod") is None


def test_a_strangers_function_of_the_same_name_is_not_ours(aws: Aws) -> None:
    made_app(aws, "taken", owner="somebody")
    search = inventory.take(aws.account, "taken", ["the app"])
    assert search.of(APP) == []
    assert search.strangers == ("function verdict-taken",)


def test_a_record_about_another_account_is_not_used(aws: Aws, project: Path) -> None:
    elsewhere = "arn:aws:lambda:eu-west-1:999999999999:function:verdict-dev"
    part = {"name": "api_handler", "resource_type": "lambda_function", "lambda_arn": elsewhere}
    Record(record_of("dev", project).path, {"api_handler": part}).write()
    app = Resource(APP, "verdict-dev", "", "dev", facts={"url": "", "parts": {}, "more_apis": ()})
    with pytest.raises(AwsError, match="is about another account or region"):
        delete_app(aws, app, project)
    forget_gone(aws, Inventory(()), None, project)
    assert record_of("dev", project).resources == {"api_handler": part}


def recorded_function(aws: Aws, stage: str, project: Path) -> Path:
    """Let chalice have noted a function of a stage; returns the record's path."""
    arn = f"arn:aws:lambda:us-east-1:{aws.account.number}:function:verdict-{stage}"
    record = Record(record_of(stage, project).path, {"api_handler": {"name": "api_handler", "lambda_arn": arn}})
    record.write()
    return record.path


@pytest.mark.parametrize("operation", ["GetFunction", "GetRestApis"])
def test_an_app_that_could_not_be_looked_up_keeps_its_record(
    aws: Aws, simulated: SimulatedAws, project: Path, operation: str
) -> None:
    recorded_function(aws, "living", project)
    simulated.fault_injector.order(operation, "denied")
    found = inventory.take(aws.account, "living", ["the app"])
    assert found.of(APP) == []
    assert found.is_unread("the app")
    forget_gone(aws, found, "living", project)
    assert record_of("living", project).resources


def test_a_function_that_is_there_keeps_its_record_whoever_it_belongs_to(aws: Aws, project: Path) -> None:
    made_app(aws, "untagged", owner="somebody")
    recorded_function(aws, "untagged", project)
    found = inventory.take(aws.account, "untagged", ["the app"])
    assert found.of(APP) == []
    forget_gone(aws, found, "untagged", project)
    assert record_of("untagged", project).resources


def test_a_deletion_that_was_cut_off_before_the_role_goes_on(aws: Aws, simulated: SimulatedAws, project: Path) -> None:
    role = made_role(aws, "dev")
    part = {"name": "api_handler_role", "resource_type": "iam_role", "role_arn": role, "role_name": "as before"}
    Record(record_of("dev", project).path, {"api_handler_role": part}).write()
    assert record_of("dev", project).is_of(aws.account)
    found = app_of(aws, "dev")
    assert found is not None
    delete_app(aws, found, project, partial(run_chalice, environment={**os.environ, **simulated.environment}))
    assert app_of(aws, "dev") is None


def test_a_role_beside_a_function_of_another_region_does_not_make_the_record_this_regions(
    aws: Aws, project: Path
) -> None:
    number = aws.account.number
    parts = {
        "default-role": {"name": "default-role", "role_arn": f"arn:aws:iam::{number}:role/verdict-dev"},
        "api_handler": {"name": "api_handler", "lambda_arn": f"arn:aws:lambda:eu-west-1:{number}:function:verdict-dev"},
    }
    assert not Record(project, parts).is_of(aws.account)


def test_all_apis_of_an_app_go_the_recorded_one_by_chalice(aws: Aws, simulated: SimulatedAws, project: Path) -> None:
    function = made_app(aws, "prod")
    recorded = made_api(aws, function)
    more = made_api(aws, function)
    path = record_of("prod", project).path
    Record(path, {"rest_api": {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": recorded}}).write()
    (found,) = apps(Search(aws.account, "prod"), project)
    assert found.facts["parts"]["rest_api"]["rest_api_id"] == recorded
    assert len(found.facts["more_apis"]) == 2
    assert more in found.facts["more_apis"]
    delete_app(aws, found, project, partial(run_chalice, environment={**os.environ, **simulated.environment}))
    assert app_of(aws, "prod") is None
    left = [api["id"] for api in aws.account.client("apigateway").get_rest_apis()["items"]]
    assert not {recorded, *found.facts["more_apis"]}.intersection(left)


def test_apis_are_deleted_as_slowly_as_the_gateway_wants_it(aws: Aws) -> None:
    client = aws.account.client("apigateway")
    pauses: list[float] = []
    account = replace(aws.account, client=lambda _service: client)
    with Stubber(client) as stubbed:
        stubbed.add_client_error("delete_rest_api", "TooManyRequestsException", "Too Many Requests")
        stubbed.add_response("delete_rest_api", {}, {"restApiId": "one"})
        delete_api(Aws(account, aws.journal, aws.console, pauses.append), "one")
        stubbed.assert_no_pending_responses()
    assert pauses == [API_SECONDS]


def test_a_record_of_an_app_that_is_gone_is_emptied(aws: Aws, project: Path) -> None:
    recorded_function(aws, "dev", project)
    forget_gone(aws, Inventory((Resource(APP, "verdict-dev", "", "dev"),)), None, project)
    forget_gone(aws, Inventory(()), "other", project)
    assert record_of("dev", project).resources
    forget_gone(aws, Inventory(()), "dev", project)
    assert record_of("dev", project).resources == {}


def test_an_app_that_is_a_stack_goes_with_its_stack(aws: Aws) -> None:
    template = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "of-the-stack"}}}}
    cloudformation = aws.account.client("cloudformation")
    cloudformation.create_stack(StackName="verdict-stacked", TemplateBody=json.dumps(template))
    made_app(aws, "stacked", **{"verdict:app": "verdict", STACK_TAG: "verdict-stacked"})
    found = app_of(aws, "stacked")
    assert found is not None
    assert found.state == "stack verdict-stacked"
    delete_app(aws, found)
    assert [one["StackStatus"] for one in cloudformation.list_stacks()["StackSummaries"]] == ["DELETE_COMPLETE"]
    assert not aws.account.client("logs").describe_log_groups(logGroupNamePrefix="of-the-stack")["logGroups"]


def test_what_chalice_says_when_it_fails_is_told(aws: Aws, simulated: SimulatedAws, project: Path) -> None:
    (project / "app.py").write_text("raise ValueError('broken')\n", encoding="utf-8")
    app = Resource(APP, "verdict-dev", "", "dev", facts={"url": "", "parts": {}, "more_apis": ()})
    chalice = partial(run_chalice, environment={**os.environ, **simulated.environment})
    with pytest.raises(AwsError, match="`chalice delete --stage dev` failed"):
        delete_app(aws, app, project, chalice)
