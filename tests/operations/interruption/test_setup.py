"""`verdict doctor --create`, interrupted at each of its requests."""

from contextlib import suppress

from operations.aws import bucket, role
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.resources import Kind
from operations.setup import doctor
from operations.teardown.deletions import DELETIONS
from simulator.aws import SimulatedAws
from tests.operations.interruption.interrupter import (
    CtrlC,
    Interrupter,
    InterruptibleClients,
    KilledError,
    points_to_interrupt,
)
from tests.operations.interruption.strangers import everything

SHARED = ("the bucket", "the role")
STRANGERS = {("Name", "verdict-setup-of-somebody"), ("RoleName", "verdict-sagemaker-of-somebody")}


def empty_account(aws: Aws) -> None:
    """Delete our bucket and role, as teardown does."""
    for resource in inventory.take(aws.account, None, SHARED).resources:
        DELETIONS[resource.kind](aws, resource)


def create_strangers(aws: Aws) -> None:
    """Create a bucket and a role with names like ours."""
    aws.account.client("s3").create_bucket(Bucket="verdict-setup-of-somebody")
    aws.account.client("iam").create_role(RoleName="verdict-sagemaker-of-somebody", AssumeRolePolicyDocument="{}")


def check_named(aws: Aws) -> None:
    """Fail unless a list names the bucket and the role, those of them that exist."""
    named = {(resource.kind, resource.name) for resource in inventory.take(aws.account, None, SHARED).resources}
    ours = {
        ("Name", bucket.bucket_name(aws.account)): Kind.BUCKET,
        ("RoleName", role.role_name(aws.account)): Kind.ROLE,
    }
    assert {(ours[item], item[1]) for item in everything(aws) & ours.keys()} == named


def test_an_interrupted_setup_is_named_and_completed_by_the_same_command(account: Aws, simulated: SimulatedAws) -> None:
    aws = account
    create_strangers(aws)
    clients, recorder = InterruptibleClients(simulated), Interrupter()
    empty_account(aws)
    doctor.create(clients.context(aws, recorder), yes=True)
    for how in (CtrlC, KilledError):
        for point in points_to_interrupt(recorder.points, how, every=False):
            empty_account(aws)
            interrupter = Interrupter(point, how)
            with suppress(CtrlC, KilledError):
                doctor.create(clients.context(aws, interrupter), yes=True)
            assert interrupter.has_interrupted, point
            check_named(aws)
            doctor.create(aws, yes=True)
            assert bucket.is_tagged(aws.account)
            assert role.find(aws.account)
    assert everything(aws) >= STRANGERS
