"""The verification names all resources that may be billed, and claims nothing about unlisted ones."""

import pytest

from operations.aws.command import Aws
from operations.aws.plan import MINOR_COST
from operations.inventory.inventory import Inventory
from operations.inventory.resources import Kind, Resource
from operations.teardown import verification

THE_BUCKET = Resource(Kind.BUCKET, "b", "", price=MINOR_COST, facts={"objects": 1, "bytes": 1, "ours": True})


def verification_of(aws: Aws, found: Inventory, stage: str | None = "dev") -> str:
    """Return the sentences of the verification."""
    return "\n".join(verification.sentences(aws.account, found, stage))


def test_nothing_is_left(aws: Aws) -> None:
    assert verification_of(aws, Inventory(())).startswith("Nothing that is billed is left for stage dev in us-east-1")


def test_an_untagged_billed_resource_is_named(aws: Aws) -> None:
    untagged = ("endpoint verdict-dev-0123456789ab", "model verdict-dev-free-of-charge", "endpoint verdict-prod-of-it")
    text = verification_of(aws, Inventory((), untagged))
    assert text.startswith("Nothing that is billed and carries the tag verdict:app is left for stage dev")
    assert "Not deleted, and may be billed: endpoint verdict-dev-0123456789ab." in text
    assert "free-of-charge" not in text
    assert "prod" not in text
    assert "verdict-prod-of-it" in verification_of(aws, Inventory((), untagged), None)


@pytest.mark.parametrize(
    "resource", ["function verdict-dev", "log-streams verdict-dev-x", "training-job verdict-dev-y"]
)
def test_untagged_resources_of_every_billed_kind_are_named(aws: Aws, resource: str) -> None:
    assert f"Not deleted, and may be billed: {resource}." in verification_of(aws, Inventory((), (resource,)))


def test_kept_resources_are_listed_with_the_option_to_delete_them(aws: Aws) -> None:
    log = Resource(Kind.LOG_GROUP, "/aws/lambda/verdict-dev", "", "dev", price=MINOR_COST, facts={"bytes": 1})
    text = verification_of(aws, Inventory((THE_BUCKET, log)))
    assert "Kept. Delete it: verdict teardown --stage dev --with bucket" in text
    assert "Kept. Delete it: verdict teardown --stage dev --with logs" in text


def test_deleting_another_stages_resources_is_not_suggested(aws: Aws) -> None:
    found = Inventory((THE_BUCKET, Resource(Kind.ENDPOINT, "verdict-prod-1", "", "prod")))
    text = verification_of(aws, found)
    assert "Kept: stage prod uses it. Delete it together with all stages by --all-stages." in text
    assert "--with bucket" not in text
    assert "teardown --all-stages --with bucket" in verification_of(aws, found, None)


def test_unlisted_resources_are_not_claimed_to_be_deleted(aws: Aws) -> None:
    text = verification_of(aws, Inventory((), unread=("endpoints: not allowed",)))
    assert text == "Could not be listed, and may exist: endpoints: not allowed"
