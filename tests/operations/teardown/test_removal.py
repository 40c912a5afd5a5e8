"""One thing that cannot be deleted, or does not go, stops none of the rest."""

from collections.abc import Iterator

import pytest

from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.waiting import StoppedWaitingError, wait_for
from operations.inventory import inventory
from operations.inventory.resources import (
    BUCKET,
    CONFIGURATION,
    ENDPOINT,
    LOG_STREAMS,
    MODEL,
    PACKAGE_GROUP,
    ROLE,
    Resource,
)
from operations.teardown.deletions import DELETIONS
from operations.teardown.removal import remove
from simulator.aws import SimulatedAws
from tests.operations.existing import FINGERPRINT, made_endpoint, made_model, printed

LATER = "ffffffffffff"
GROUP = "/aws/sagemaker/TrainingJobs"
RESUME = "verdict teardown --stage any"


@pytest.fixture(autouse=True)
def cleared(aws: Aws) -> Iterator[None]:
    """Take away the endpoints of a test, as quotas are small."""
    yield
    for one in inventory.take(aws.account, None, ["endpoints"]).of(ENDPOINT):
        aws.account.client("sagemaker").delete_endpoint(EndpointName=one.name)


def everything(aws: Aws, stage: str) -> list[Resource]:
    """Return the endpoints of a stage with their configurations and models."""
    return inventory.take(aws.account, stage).of(ENDPOINT, CONFIGURATION, MODEL)


def left_of(aws: Aws, stage: str) -> set[str]:
    """Return the fingerprints of what a stage still has."""
    return {one.name.split("-")[2] for one in everything(aws, stage)}


def overdue(aws: Aws, resume: str = RESUME) -> None:
    """Wait for something that never comes."""
    wait_for(lambda: "moving", lambda _: False, str, aws.console, resume, 0.0, lambda _: None)


def test_an_endpoint_that_does_not_settle_is_left_and_the_rest_goes(aws: Aws) -> None:
    stuck, gone = (made_endpoint(aws, "stuck", fingerprint) for fingerprint in (FINGERPRINT, LATER))

    def delete(aws: Aws, endpoint: Resource) -> None:
        if endpoint.name == stuck:
            overdue(aws)
        DELETIONS[ENDPOINT](aws, endpoint)

    left = remove(aws, everything(aws, "stuck"), {**DELETIONS, ENDPOINT: delete}, RESUME)
    assert [one.resource.kind for one in left] == [ENDPOINT, CONFIGURATION, MODEL]
    assert left[0].resource.name == stuck
    assert left[0].why.startswith("Still moving after 0 minutes.")
    assert left_of(aws, "stuck") == {FINGERPRINT}
    assert f"Deleted: endpoint {gone}" in printed(aws)


def test_an_endpoint_that_is_not_gone_in_time_is_left_with_what_it_uses(aws: Aws) -> None:
    staying = made_endpoint(aws, "slow")
    made_endpoint(aws, "slow", LATER)

    def delete(aws: Aws, endpoint: Resource) -> None:
        if endpoint.name != staying:
            DELETIONS[ENDPOINT](aws, endpoint)

    left = remove(aws, everything(aws, "slow"), {**DELETIONS, ENDPOINT: delete}, RESUME, longest_seconds=1.0)
    assert [one.resource.kind for one in left] == [ENDPOINT, CONFIGURATION, MODEL]
    assert left[0].why.startswith(f"Still deleting {staying} after")
    assert left_of(aws, "slow") == {FINGERPRINT}


def test_what_cannot_be_looked_at_any_more_is_left(aws: Aws, simulated: SimulatedAws) -> None:
    made_endpoint(aws, "blind")
    found = everything(aws, "blind")
    simulated.fault_injector.order("DescribeEndpoint", "denied")
    left = remove(aws, found, DELETIONS, RESUME)
    assert left[0].why.startswith("Whether it is gone could not be seen: These credentials may not")


def test_ctrl_c_while_waiting_ends_everything(aws: Aws) -> None:
    made_model(aws, "stopped")

    def delete(_aws: Aws, _model: Resource) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise StoppedWaitingError("stopped") from error

    with pytest.raises(StoppedWaitingError):
        remove(aws, everything(aws, "stopped"), {MODEL: delete}, RESUME)


def test_what_rests_is_deleted_before_what_is_on_the_move(aws: Aws) -> None:
    found = [Resource(ENDPOINT, name, "", state=state) for name, state in (("a", "Creating"), ("b", "InService"))]
    order: list[str] = []
    remove(aws, found, {ENDPOINT: lambda _aws, one: order.append(one.name)}, RESUME)
    assert order == ["b", "a"]


def test_a_stream_that_is_gone_hides_none_of_the_rest(aws: Aws) -> None:
    logs = aws.account.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="verdict-any-b/algo-1")
    facts = {"group": GROUP, "streams": ("verdict-any-a/algo-1", "verdict-any-b/algo-1")}
    assert remove(aws, [Resource(LOG_STREAMS, "any", "", "any", facts=facts)], DELETIONS, RESUME) == []
    assert logs.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_a_bucket_without_our_tag_is_not_deleted(aws: Aws) -> None:
    s3, name = aws.account.client("s3"), bucket.bucket_name(aws.account)
    bucket.ensure(aws)
    s3.delete_bucket_tagging(Bucket=name)
    s3.put_object(Bucket=name, Key="precious", Body=b"")
    found = inventory.take(aws.account, None, ["the bucket"]).resources
    (left,) = remove(aws, found, DELETIONS, RESUME)
    assert left.resource.kind == BUCKET
    assert "It has no tag verdict:app" in left.why
    assert s3.head_object(Bucket=name, Key="precious")
    bucket.close(aws.account)
    assert remove(aws, found, DELETIONS, RESUME) == []
    assert not bucket.exists(aws.account)


def test_what_lies_in_a_strangers_bucket_is_no_output_of_ours(aws: Aws) -> None:
    s3, name = aws.account.client("s3"), bucket.bucket_name(aws.account)
    bucket.ensure(aws)
    bucket.put_bytes(aws.account, "transform/verdict-theirs-x/input/rows", b"theirs")
    assert [one.stage for one in inventory.take(aws.account, "theirs", ["transform output"]).resources] == ["theirs"]
    s3.delete_bucket_tagging(Bucket=name)
    assert inventory.take(aws.account, "theirs", ["transform output"]).resources == ()
    bucket.close(aws.account)


@pytest.mark.parametrize("kind", [PACKAGE_GROUP, ROLE, LOG_STREAMS])
def test_what_is_gone_already_is_fine(aws: Aws, kind: str) -> None:
    absent = Resource(kind, "verdict-gone", "", facts={"group": "/no/such", "streams": ("any",)})
    assert remove(aws, [absent], DELETIONS, RESUME) == []
