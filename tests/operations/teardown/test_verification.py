"""The proof names everything that may be billed, and claims nothing of what it has not seen."""

import pytest

from operations.aws.command import Aws
from operations.aws.plan import PENNIES
from operations.inventory.inventory import Inventory
from operations.inventory.resources import BUCKET, ENDPOINT, LOG_GROUP, Resource
from operations.teardown import verification

THE_BUCKET = Resource(BUCKET, "b", "", price=PENNIES, facts={"objects": 1, "bytes": 1, "ours": True})


def told(aws: Aws, found: Inventory, stage: str | None = "dev") -> str:
    """Return the proof."""
    return "\n".join(verification.sentences(aws.account, found, stage))


def test_nothing_is_left(aws: Aws) -> None:
    assert told(aws, Inventory(())).startswith("Nothing that is billed is left for stage dev in us-east-1")


def test_a_billed_stranger_is_named_and_nothing_is_claimed_of_it(aws: Aws) -> None:
    strangers = ("endpoint verdict-dev-0123456789ab", "model verdict-dev-free-of-charge", "endpoint verdict-prod-of-it")
    text = told(aws, Inventory((), strangers))
    assert text.startswith("Nothing that is billed and carries the tag verdict:app is left for stage dev")
    assert "Not deleted, and may be billed: endpoint verdict-dev-0123456789ab." in text
    assert "free-of-charge" not in text
    assert "prod" not in text
    assert "verdict-prod-of-it" in told(aws, Inventory((), strangers), None)


@pytest.mark.parametrize(
    "stranger", ["function verdict-dev", "log-streams verdict-dev-x", "training-job verdict-dev-y"]
)
def test_strangers_of_every_billed_kind_are_named(aws: Aws, stranger: str) -> None:
    assert f"Not deleted, and may be billed: {stranger}." in told(aws, Inventory((), (stranger,)))


def test_what_is_kept_is_told_with_what_deletes_it(aws: Aws) -> None:
    log = Resource(LOG_GROUP, "/aws/lambda/verdict-dev", "", "dev", price=PENNIES, facts={"bytes": 1})
    text = told(aws, Inventory((THE_BUCKET, log)))
    assert "Kept; it goes with `verdict teardown --stage dev --with bucket`." in text
    assert "Kept; it goes with `verdict teardown --stage dev --with logs`." in text


def test_what_another_stage_uses_is_not_advised_to_be_deleted(aws: Aws) -> None:
    found = Inventory((THE_BUCKET, Resource(ENDPOINT, "verdict-prod-1", "", "prod")))
    text = told(aws, found)
    assert "Kept: stage prod uses it; it goes with all of them by --all-stages." in text
    assert "--with bucket" not in text
    assert "teardown --all-stages --with bucket" in told(aws, found, None)


def test_what_could_not_be_seen_is_not_claimed_to_be_gone(aws: Aws) -> None:
    text = told(aws, Inventory((), unread=("endpoints: not allowed",)))
    assert text == "Could not be looked up, and may be there: endpoints: not allowed"
