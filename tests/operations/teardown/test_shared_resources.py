"""What all stages share goes only when it is certain that no stage needs it any more."""

import re
from datetime import UTC, datetime

import pytest

from operations.aws import bucket, role
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.inventory import Inventory
from operations.inventory.resources import BUCKET, MODEL, ROLE, Resource
from operations.teardown.shared_resources import why_kept
from operations.teardown.teardown import Scope, UnreadError, select_for_deletion, teardown, ways
from simulator.aws import SimulatedAws
from tests.operations.existing import made_model, printed


def torn_down(aws: Aws, scope: Scope) -> None:
    """Tear down."""
    teardown(aws, scope, True, ways())


def test_it_is_kept_for_every_other_stage_by_name() -> None:
    found = Inventory(tuple(Resource(MODEL, f"verdict-{stage}-x", "", stage) for stage in ("a", "b", "c")))
    assert why_kept(found, "a") == "Kept: stages b, c use it; it goes with all of them by --all-stages."
    assert why_kept(found, None) == ""
    assert why_kept(Inventory(()), "a") == ""


def test_the_bucket_and_the_role_stay_while_another_stage_has_anything(aws: Aws) -> None:
    stage, other = "ours", "other"
    made_model(aws, other)
    made_model(aws, stage)
    found = inventory.take(aws.account)
    going = {
        one.kind for one in select_for_deletion(found, Scope(stage, optional=("bucket", "role")), datetime.now(UTC))
    }
    assert not going & {BUCKET, ROLE}
    torn_down(aws, Scope(stage, optional=("bucket",)))
    told = [
        line for line in printed(aws).splitlines() if re.search(rf"Kept: stages? .*\b{other}\b.* by --all-stages", line)
    ]
    assert len(told) == 2  # before and in the proof
    assert "--with bucket" not in printed(aws)
    torn_down(aws, Scope(None, optional=("bucket", "role")))
    assert not bucket.exists(aws.account)


def test_what_is_shared_stays_while_anything_cannot_be_looked_up(aws: Aws, simulated: SimulatedAws) -> None:
    made_model(aws, "any")
    simulated.fault_injector.order("ListEndpoints", "denied")
    with pytest.raises(UnreadError):
        torn_down(aws, Scope(None, optional=("bucket", "role")))
    assert bucket.exists(aws.account)
    assert role.find(aws.account)
    assert "Kept: something that could not be looked up may use it." in printed(aws)
