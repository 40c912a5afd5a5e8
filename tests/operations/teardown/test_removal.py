"""A resource that cannot be deleted does not prevent the deletion of others."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.waiting import StoppedWaitingError, wait_for
from operations.endpoint import endpoint_state
from operations.inventory import inventory
from operations.inventory.resources import Kind, Resource
from operations.teardown.app_deletion import delete_app
from operations.teardown.deletions import DELETIONS
from operations.teardown.removal import remove
from simulator.aws import SimulatedAws
from tests.operations.apps import create_app
from tests.operations.existing import FINGERPRINT, create_endpoint, create_model, printed

LATER = "ffffffffffff"
GROUP = "/aws/sagemaker/TrainingJobs"
RESUME = "verdict teardown --stage any"


@pytest.fixture(autouse=True)
def delete_endpoints(aws: Aws) -> Iterator[None]:
    """Delete the endpoints of a test, because quotas are small."""
    yield
    for resource in inventory.take(aws.account, None, ["endpoints"]).of(Kind.ENDPOINT):
        endpoint_state.start_deletion(aws, resource.name, None, "")


def hosting_of(aws: Aws, stage: str) -> list[Resource]:
    """Return the endpoints of a stage with their configurations and models."""
    return inventory.take(aws.account, stage).of(Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL)


def remaining_fingerprints(aws: Aws, stage: str) -> set[str]:
    """Return the fingerprints in the names of a stage's remaining resources."""
    return {resource.name.split("-")[2] for resource in hosting_of(aws, stage)}


def time_out(aws: Aws, resume: str = RESUME) -> None:
    """Wait for something until the timeout."""
    wait_for(lambda: "moving", lambda _: False, str, aws.console, resume, 0.0, lambda _: None)


def test_an_unstable_endpoint_is_left_and_the_others_are_deleted(aws: Aws) -> None:
    stuck, stable = (create_endpoint(aws, "stuck", fingerprint) for fingerprint in (FINGERPRINT, LATER))

    def delete(aws: Aws, endpoint: Resource) -> None:
        if endpoint.name == stuck:
            time_out(aws)
        DELETIONS[Kind.ENDPOINT](aws, endpoint)

    left = remove(aws, hosting_of(aws, "stuck"), {**DELETIONS, Kind.ENDPOINT: delete}, RESUME)
    assert [failure.resource.kind for failure in left] == [Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL]
    assert left[0].resource.name == stuck
    assert left[0].why.startswith("Still moving after 0 minutes.")
    assert remaining_fingerprints(aws, "stuck") == {FINGERPRINT}
    assert f"Deleted: endpoint {stable}" in printed(aws)


def test_an_endpoint_not_deleted_in_time_is_left_with_its_model(aws: Aws) -> None:
    staying = create_endpoint(aws, "slow")
    create_endpoint(aws, "slow", LATER)

    def delete(aws: Aws, endpoint: Resource) -> None:
        if endpoint.name != staying:
            DELETIONS[Kind.ENDPOINT](aws, endpoint)

    left = remove(aws, hosting_of(aws, "slow"), {**DELETIONS, Kind.ENDPOINT: delete}, RESUME, timeout_seconds=1.0)
    assert [failure.resource.kind for failure in left] == [Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL]
    assert left[0].why.startswith(f"Still deleting {staying} after")
    assert remaining_fingerprints(aws, "slow") == {FINGERPRINT}


def test_an_unverified_deletion_is_a_failure(aws: Aws, simulated: SimulatedAws) -> None:
    create_endpoint(aws, "blind")

    def delete(aws: Aws, endpoint: Resource) -> None:
        DELETIONS[Kind.ENDPOINT](aws, endpoint)
        simulated.fault_injector.inject("DescribeEndpoint", "denied")

    left = remove(aws, hosting_of(aws, "blind"), {**DELETIONS, Kind.ENDPOINT: delete}, RESUME)
    assert left[0].why.startswith("Its deletion could not be verified: These credentials do not allow")


def test_a_record_that_cannot_be_written_does_not_keep_an_endpoint(aws: Aws, tmp_path: Path) -> None:
    create_app(aws, "full")
    create_endpoint(aws, "full")
    (tmp_path / ".chalice").write_text("in place of the folder", encoding="utf-8")
    found = inventory.take(aws.account, "full", ["the app", "endpoints", "configurations", "models"]).resources
    deletions = {Kind.APP: partial(delete_app, project=tmp_path), **DELETIONS}
    (left,) = remove(aws, found, deletions, RESUME)
    assert left.resource.kind == Kind.APP
    assert "cannot be written" in left.why
    assert hosting_of(aws, "full") == []


def test_ctrl_c_while_waiting_ends_the_command(aws: Aws) -> None:
    create_model(aws, "stopped")

    def delete(_aws: Aws, _model: Resource) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise StoppedWaitingError("stopped") from error

    with pytest.raises(StoppedWaitingError):
        remove(aws, hosting_of(aws, "stopped"), {Kind.MODEL: delete}, RESUME)


def test_stable_endpoints_are_deleted_before_changing_ones(aws: Aws) -> None:
    found = [Resource(Kind.ENDPOINT, name, "", state=state) for name, state in (("a", "Creating"), ("b", "InService"))]
    order: list[str] = []
    remove(aws, found, {Kind.ENDPOINT: lambda _aws, resource: order.append(resource.name)}, RESUME)
    assert order == ["b", "a"]


def test_a_deleted_stream_does_not_hide_the_others(aws: Aws) -> None:
    logs = aws.account.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="verdict-any-b/algo-1")
    facts = {"group": GROUP, "streams": ("verdict-any-a/algo-1", "verdict-any-b/algo-1")}
    assert remove(aws, [Resource(Kind.LOG_STREAMS, "any", "", "any", facts=facts)], DELETIONS, RESUME) == []
    assert logs.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_a_bucket_without_our_tag_is_not_deleted(aws: Aws) -> None:
    s3, name = aws.account.client("s3"), bucket.bucket_name(aws.account)
    bucket.ensure(aws)
    s3.delete_bucket_tagging(Bucket=name)
    s3.put_object(Bucket=name, Key="precious", Body=b"")
    found = inventory.take(aws.account, None, ["the bucket"]).resources
    (left,) = remove(aws, found, DELETIONS, RESUME)
    assert left.resource.kind == Kind.BUCKET
    assert "It has no tag verdict:app" in left.why
    assert s3.head_object(Bucket=name, Key="precious")
    bucket.secure(aws.account)
    assert remove(aws, found, DELETIONS, RESUME) == []
    assert not bucket.exists(aws.account)


def test_objects_in_an_untagged_bucket_are_not_transform_output(aws: Aws) -> None:
    s3, name = aws.account.client("s3"), bucket.bucket_name(aws.account)
    bucket.ensure(aws)
    bucket.put_bytes(aws.account, "transform/verdict-theirs-x/input/rows", b"theirs")
    assert [resource.stage for resource in inventory.take(aws.account, "theirs", ["transform output"]).resources] == [
        "theirs"
    ]
    s3.delete_bucket_tagging(Bucket=name)
    assert inventory.take(aws.account, "theirs", ["transform output"]).resources == ()
    bucket.secure(aws.account)


@pytest.mark.parametrize("kind", [Kind.PACKAGE_GROUP, Kind.ROLE, Kind.LOG_STREAMS])
def test_deleted_resources_are_ignored(aws: Aws, kind: str) -> None:
    absent = Resource(kind, "verdict-deleted", "", facts={"group": "/no/such", "streams": ("any",)})
    assert remove(aws, [absent], DELETIONS, RESUME) == []
