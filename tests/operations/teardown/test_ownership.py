"""Only what has our tag, or belongs to what has it, is deleted; the rest is listed and left."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib import release
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import endpoint_state
from operations.endpoint.candidate import packaged_candidate
from operations.inventory import inventory, model_registry
from operations.inventory.deployed_app import STACK_TAG
from operations.inventory.inventory import Inventory
from operations.inventory.resources import Kind, Resource
from operations.teardown import verification
from operations.teardown.app_deletion import delete_app
from operations.teardown.deletions import DELETIONS
from operations.teardown.removal import remove
from simulator.aws import SimulatedAws
from tests.operations.apps import create_app, create_function, create_role
from tests.operations.existing import create_endpoint, create_model, printed

ELSEWHERE = "eu-central-1"


@pytest.fixture(autouse=True)
def delete_endpoints(aws: Aws) -> Iterator[None]:
    """Delete the endpoints of a test, because quotas are small."""
    yield
    for resource in inventory.take(aws.account, None, ["endpoints"]).of(Kind.ENDPOINT):
        endpoint_state.start_deletion(aws, resource.name, None, "")


@pytest.fixture
def elsewhere(aws: Aws, simulated: SimulatedAws) -> Aws:
    """The same account in another region."""
    account = replace(aws.account, region=ELSEWHERE, client=lambda service: simulated.client(service, ELSEWHERE))
    return Aws(account, aws.console)


def tag_role(aws: Aws, name: str, key: str, value: str) -> None:
    """Tag a role."""
    aws.account.client("iam").tag_role(RoleName=name, Tags=[{"Key": key, "Value": value}])


def app_in(aws: Aws, stage: str) -> Inventory:
    """List a stage's app."""
    return inventory.take(aws.account, stage, ["the app"])


def no_chalice(_stage: str, _project: Path) -> None:
    """Stand in for `chalice delete`."""


def create_log_group(aws: Aws, name: str) -> None:
    """Create a log group without tags, as AWS does."""
    if not aws.account.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        aws.account.client("logs").create_log_group(logGroupName=name)


def test_a_role_with_another_projects_tag_is_listed_and_left(aws: Aws) -> None:
    create_role(aws, "strange")
    tag_role(aws, "verdict-strange-api_handler", "team", "billing")
    found = app_in(aws, "strange")
    assert found.of(Kind.APP) == []
    assert found.untagged == ("app-role verdict-strange-api_handler",)
    text = "\n".join(verification.sentences(aws.account, found, "strange"))
    assert "Not deleted: role verdict-strange-api_handler. It has no tag verdict:app" in text


def test_the_role_of_an_app_in_another_region_is_not_an_app(aws: Aws, elsewhere: Aws) -> None:
    create_app(aws, "global")
    assert app_in(aws, "global").of(Kind.APP)
    assert app_in(elsewhere, "global").of(Kind.APP) == []


def test_a_role_that_an_app_in_another_region_uses_is_kept(aws: Aws, elsewhere: Aws, tmp_path: Path) -> None:
    create_function(aws, "two")
    create_function(elsewhere, "two")
    (app,) = app_in(elsewhere, "two").of(Kind.APP)
    delete_app(elsewhere, app, tmp_path, no_chalice)
    record = json.loads((tmp_path / ".chalice" / "deployed" / "two.json").read_text(encoding="utf-8"))
    assert [part["name"] for part in record["resources"]] == ["api_handler"]
    assert "because function verdict-two in us-east-1 uses it" in printed(aws)


def test_a_role_is_kept_if_the_regions_cannot_be_listed(aws: Aws, simulated: SimulatedAws, tmp_path: Path) -> None:
    create_role(aws, "blind")
    tag_role(aws, "verdict-blind-api_handler", names.APP_TAG, names.APP)
    (app,) = app_in(aws, "blind").of(Kind.APP)
    simulated.fault_injector.inject("DescribeRegions", "denied")
    with pytest.raises(AwsError, match="Not deleted, because the regions of the account cannot be listed"):
        delete_app(aws, app, tmp_path, no_chalice)


def test_an_app_is_kept_if_its_function_was_replaced_after_listing(aws: Aws, tmp_path: Path) -> None:
    function = create_function(aws, "replaced")
    (app,) = app_in(aws, "replaced").of(Kind.APP)
    aws.account.client("lambda").untag_resource(Resource=function, TagKeys=[names.APP_TAG])
    with pytest.raises(AwsError, match="may belong to another project"):
        delete_app(aws, app, tmp_path, no_chalice)


def test_a_stack_without_our_tag_is_left_with_its_function(aws: Aws) -> None:
    template = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "of-a-stranger"}}}}
    aws.account.client("cloudformation").create_stack(StackName="company", TemplateBody=json.dumps(template))
    create_function(aws, "inside", **{names.APP_TAG: names.APP, STACK_TAG: "company"})
    found = app_in(aws, "inside")
    assert found.of(Kind.APP) == []
    assert "function verdict-inside in stack company" in found.untagged
    text = "\n".join(verification.sentences(aws.account, found, "inside"))
    assert "Not deleted, and may be billed: function verdict-inside in stack company." in text


def test_the_log_of_an_untagged_function_is_listed_and_left(aws: Aws) -> None:
    create_function(aws, "billing", owner="somebody")
    create_log_group(aws, "/aws/lambda/verdict-billing")
    found = inventory.take(aws.account, "billing", ["log groups"])
    assert found.resources == ()
    text = "\n".join(verification.sentences(aws.account, found, "billing"))
    assert "Not deleted, and may be billed: log-group /aws/lambda/verdict-billing." in text


def test_the_log_of_a_deleted_endpoint_is_still_ours(aws: Aws) -> None:
    endpoint = create_endpoint(aws, "logged")
    create_log_group(aws, f"/aws/sagemaker/Endpoints/{endpoint}")
    assert remove(aws, inventory.take(aws.account, "logged", ["endpoints"]).resources, DELETIONS, "") == []
    (group,) = inventory.take(aws.account, "logged", ["log groups"]).resources
    assert remove(aws, [group], DELETIONS, "") == []
    assert inventory.take(aws.account, "logged", ["log groups"]) == Inventory(())


def test_the_log_of_an_unknown_endpoint_is_listed_and_left(aws: Aws) -> None:
    create_log_group(aws, "/aws/sagemaker/Endpoints/verdict-lost-0123456789ab")
    found = inventory.take(aws.account, "lost", ["log groups"])
    assert found.untagged == ("log-group /aws/sagemaker/Endpoints/verdict-lost-0123456789ab",)
    listed = Resource(Kind.LOG_GROUP, "/aws/sagemaker/Endpoints/verdict-lost-0123456789ab", "", "lost")
    (left,) = remove(aws, [listed], DELETIONS, "")
    assert "It has no tag verdict:app" in left.why


def test_a_package_group_with_a_model_of_somebody_else_is_left(aws: Aws) -> None:
    sagemaker = aws.account.client("sagemaker")
    model_registry.register(aws, "verdict-shared", packaged_candidate(), release.load().facts)
    container = {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        "ModelDataUrl": "s3://x/y",
    }
    theirs = sagemaker.create_model_package(
        ModelPackageGroupName="verdict-shared",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    (group,) = inventory.take(aws.account, None, ["model package groups"]).resources
    (left,) = remove(aws, [group], DELETIONS, "")
    assert theirs in left.why
    assert len(model_registry.package_arns(aws.account, "verdict-shared")) == 2
    sagemaker.delete_model_package(ModelPackageName=theirs)
    assert remove(aws, [group], DELETIONS, "") == []


def test_a_model_that_lost_our_tag_after_listing_is_left(aws: Aws) -> None:
    create_model(aws, "untagged")
    (model,) = inventory.take(aws.account, "untagged", ["models"]).resources
    aws.account.client("sagemaker").delete_tags(ResourceArn=model.arn, TagKeys=[names.APP_TAG])
    (left,) = remove(aws, [model], DELETIONS, "")
    assert "It has no tag verdict:app" in left.why


def test_an_endpoint_created_again_after_listing_is_left(aws: Aws) -> None:
    create_endpoint(aws, "again")
    found = inventory.take(aws.account, "again", ["endpoints", "configurations", "models"]).resources
    assert remove(aws, found, DELETIONS, "") == []
    create_endpoint(aws, "again")
    left = remove(aws, found, DELETIONS, "")[0]
    assert "Another command created it again after it was listed" in left.why
