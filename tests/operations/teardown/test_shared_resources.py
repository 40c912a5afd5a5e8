"""Shared resources are deleted only if no other stage needs them."""

import re
from datetime import UTC, datetime

import pytest

from operations.aws import bucket, names, role
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.inventory import Inventory
from operations.inventory.resources import Kind, Resource
from operations.teardown.teardown import LeftOverError, Scope, UnreadError, all_deletions, select_for_deletion, teardown
from operations.teardown.verification import why_shared_are_kept
from simulator.aws import SimulatedAws
from tests.operations.candidates import AnswerAfter
from tests.operations.existing import FINGERPRINT, create_endpoint, create_model, printed


def torn_down(aws: Aws, scope: Scope) -> None:
    """Tear down."""
    teardown(aws, scope, True, all_deletions())


def test_the_stages_that_use_shared_resources_are_named() -> None:
    found = Inventory(tuple(Resource(Kind.MODEL, f"verdict-{stage}-x", "", stage) for stage in ("a", "b", "c")))
    assert (
        why_shared_are_kept(found, "a")
        == "Kept: stages b, c use it. Delete it together with all stages by --all-stages."
    )
    assert why_shared_are_kept(found, None) == ""
    assert why_shared_are_kept(Inventory(()), "a") == ""


def test_shared_resources_stay_while_another_stage_has_resources(aws: Aws) -> None:
    stage, other = "ours", "other"
    create_model(aws, other)
    create_model(aws, stage)
    found = inventory.take(aws.account)
    going = {
        resource.kind
        for resource in select_for_deletion(found, Scope(stage, optional=("bucket", "role")), datetime.now(UTC))
    }
    assert not going & {Kind.BUCKET, Kind.ROLE}
    torn_down(aws, Scope(stage, optional=("bucket",)))
    kept = [line for line in printed(aws).splitlines() if re.search(rf"Kept: stages? .*\b{other}\b", line)]
    assert len(kept) == 2  # in the plan and in the verification
    assert "--with bucket" not in printed(aws)
    torn_down(aws, Scope(None, optional=("bucket", "role")))
    assert not bucket.exists(aws.account)


def test_shared_resources_stay_for_an_endpoint_created_during_the_prompt(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_model(aws, "early")
    created = list[str]()
    monkeypatch.setattr("sys.stdin", AnswerAfter(lambda: created.append(create_endpoint(aws, "late"))))
    with pytest.raises(LeftOverError, match=f"endpoint {names.endpoint('late', FINGERPRINT)} may use it"):
        teardown(aws, Scope(None, optional=("bucket", "role")), False, all_deletions())
    assert bucket.exists(aws.account)
    assert role.find(aws.account)
    torn_down(aws, Scope(None, optional=("bucket", "role")))
    assert not bucket.exists(aws.account)


def test_shared_resources_stay_if_an_endpoint_cannot_be_deleted(aws: Aws, simulated: SimulatedAws) -> None:
    create_endpoint(aws, "stays")
    simulated.fault_injector.inject("DeleteEndpoint", "denied")
    with pytest.raises(LeftOverError, match="may use it"):
        torn_down(aws, Scope(None, optional=("bucket", "role")))
    assert bucket.exists(aws.account)
    assert role.find(aws.account)
    simulated.fault_injector.clear()
    torn_down(aws, Scope(None, optional=("bucket", "role")))


def test_shared_resources_stay_if_a_list_is_denied(aws: Aws, simulated: SimulatedAws) -> None:
    create_model(aws, "any")
    simulated.fault_injector.inject("ListEndpoints", "denied")
    with pytest.raises(UnreadError):
        torn_down(aws, Scope(None, optional=("bucket", "role")))
    assert bucket.exists(aws.account)
    assert role.find(aws.account)
    assert "Kept: a resource that could not be listed may use it." in printed(aws)
