"""Deletion, retention and verification by `teardown`."""

import io
import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from operations.aws import bucket, names, role
from operations.aws.command import Aws
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import endpoint_state
from operations.inventory import inventory
from operations.inventory.resources import Kind
from operations.jobs.batch_transform import score_in_batch
from operations.teardown.teardown import LeftOverError, Scope, UnreadError, all_deletions, teardown
from simulator.aws import SimulatedAws
from tests.operations.candidates import interrupted, small_candidate
from tests.operations.existing import create_endpoint, create_model, printed, start_stuck_job, wait_until_stable

STAGES = (f"s{number}" for number in itertools.count())


@pytest.fixture
def stage(aws: Aws) -> Iterator[str]:
    """A stage that no other test uses; its endpoints are deleted at the end."""
    name = next(STAGES)
    yield name
    for endpoint in inventory.take(aws.account, name, ["endpoints"]).of(Kind.ENDPOINT):
        endpoint_state.start_deletion(aws, endpoint.name, None, "")


def kinds_left(aws: Aws, stage: str) -> set[str]:
    """Return the kinds of a stage's own resources, except logs."""
    return {
        resource.kind
        for resource in inventory.take(aws.account, stage).resources
        if resource.stage and resource.kind != Kind.LOG_GROUP
    }


def torn_down(aws: Aws, scope: Scope, yes: bool = True) -> None:
    """Tear down, without an app."""
    teardown(aws, scope, yes, all_deletions())


def create_surroundings(aws: Aws, stage: str, endpoint: str) -> None:
    """Create autoscaling, an alarm, a log group and transform output for an endpoint."""
    aws.account.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{endpoint}/variant/v1",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=3,
    )
    aws.account.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{endpoint}-v1-failures",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1.0,
        Period=60,
        Statistic="Sum",
        Tags=names.tags(stage),
    )
    logs = aws.account.client("logs")
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    bucket.put_bytes(aws.account, f"transform/verdict-{stage}-test-1234abcd/input/rows.libsvm", b"0:1\n")


def test_all_resources_of_a_stage_are_deleted_and_verified(aws: Aws, stage: str) -> None:
    endpoint = create_endpoint(aws, stage, instances=1)
    create_surroundings(aws, stage, endpoint)
    assert kinds_left(aws, stage) == {
        Kind.SCALABLE_TARGET,
        Kind.ALARM,
        Kind.ENDPOINT,
        Kind.CONFIGURATION,
        Kind.MODEL,
        Kind.TRANSFORM_OUTPUT,
    }
    assert inventory.take(aws.account, stage).of(Kind.LOG_GROUP)
    torn_down(aws, Scope(stage, optional=("logs",)))
    assert kinds_left(aws, stage) == set()
    assert not inventory.take(aws.account, stage).of(Kind.LOG_GROUP)
    text = printed(aws)
    assert f"To be deleted in us-east-1, stage {stage}" in text
    assert "$0.115 an hour" in text
    assert f"Left for stage {stage} in us-east-1 of account 123456789012: endpoints 0, jobs running 0" in text
    assert "Kept. Delete it: verdict teardown" in text  # the bucket


def test_nothing_is_left_if_shared_resources_are_included(aws: Aws, stage: str) -> None:
    create_endpoint(aws, stage)
    aws.account.client("s3").put_bucket_versioning(
        Bucket=bucket.bucket_name(aws.account), VersioningConfiguration={"Status": "Enabled"}
    )
    for content in (b"first", b"second"):
        bucket.put_bytes(aws.account, "releases/x/notes.txt", content)
    aws.account.client("s3").delete_object(Bucket=bucket.bucket_name(aws.account), Key="verdict/releases/x/notes.txt")
    torn_down(aws, Scope(None, optional=("bucket", "role", "logs", "packages")))
    assert inventory.take(aws.account).resources == ()
    assert not bucket.exists(aws.account)
    assert role.find(aws.account) == ""
    assert (
        "Nothing that is billed is left in us-east-1 of account 123456789012: endpoints 0, jobs running 0, "
        in printed(aws)
    )


def test_a_second_teardown_finds_nothing_to_delete(aws: Aws, stage: str) -> None:
    create_endpoint(aws, stage)
    torn_down(aws, Scope(stage))
    torn_down(aws, Scope(stage))
    assert "There is nothing to delete." in printed(aws)


def test_an_incomplete_deployment_is_deleted(aws: Aws, stage: str) -> None:
    create_model(aws, stage)
    torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == set()


def test_an_endpoint_is_deleted_before_its_configuration_and_model(aws: Aws, stage: str) -> None:
    create_endpoint(aws, stage)
    torn_down(aws, Scope(stage))
    deleted = re.findall("^Deleted: (\\S+)", printed(aws), re.MULTILINE)
    assert deleted == [Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL]


def test_an_endpoint_stuck_in_creating_is_deleted(aws: Aws, stage: str, simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "stuck", times=1)
    create_endpoint(aws, stage, wait=False)
    torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == set()


def test_a_log_that_appears_during_a_teardown_is_deleted_too(aws: Aws, stage: str) -> None:
    """An endpoint gets its log when its instances start, which may be after a teardown has listed everything."""
    endpoint = create_endpoint(aws, stage)
    logs, group = aws.account.client("logs"), f"/aws/sagemaker/Endpoints/{endpoint}"
    events = aws.account.client("sagemaker").meta.events

    def log(**_: object) -> None:
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)

    if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.delete_log_group(logGroupName=group)
    events.register("before-send.sagemaker.DeleteEndpoint", log)
    torn_down(aws, Scope(stage, optional=("logs",)))
    events.unregister("before-send.sagemaker.DeleteEndpoint", log)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    assert f"Deleted: log-group {group}" in printed(aws)
    assert "may be billed" not in printed(aws)


def test_an_endpoint_being_deleted_is_waited_for(aws: Aws, stage: str) -> None:
    endpoint = create_endpoint(aws, stage)
    aws.account.client("sagemaker").delete_endpoint(EndpointName=endpoint)
    torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == set()


def test_a_refused_deletion_is_named_and_the_others_are_done(aws: Aws, stage: str, simulated: SimulatedAws) -> None:
    endpoint = create_endpoint(aws, stage, instances=1)
    create_surroundings(aws, stage, endpoint)
    simulated.fault_injector.inject("DeleteEndpoint", "denied")
    with pytest.raises(LeftOverError) as caught:
        torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == {Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL}
    assert f"endpoint {endpoint}: These credentials do not allow sagemaker:DeleteEndpoint" in caught.value.detail
    assert f"Endpoint {endpoint} still uses it." in caught.value.detail
    assert caught.value.detail.endswith(f"verdict teardown --stage {stage}")
    assert "$0.115 an hour. Not deleted." in printed(aws)
    simulated.fault_injector.clear()
    torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == set()


def test_the_same_command_completes_an_interrupted_teardown(aws: Aws, stage: str) -> None:
    create_endpoint(aws, stage)

    def interrupted(_aws: Aws, _resource: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teardown(aws, Scope(stage), True, {**all_deletions(), Kind.CONFIGURATION: interrupted})
    assert kinds_left(aws, stage) == {Kind.CONFIGURATION, Kind.MODEL}
    torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == set()


def test_a_running_job_is_stopped_and_its_log_deleted_on_request(aws: Aws, stage: str, simulated: SimulatedAws) -> None:
    job = start_stuck_job(aws, simulated, stage)
    found = inventory.take(aws.account, stage)
    assert [(resource.name, resource.price.usd_per_hour) for resource in found.jobs] == [(job, 0.23)]
    logs = aws.account.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    for stream in (f"{job}/algo-1", "verdict-of-somebody-else/algo-1"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    torn_down(aws, Scope(stage, optional=("logs",)))
    assert inventory.take(aws.account, stage).jobs == []
    assert f"Stopped: training-job {job}" in printed(aws)
    streams = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert streams == ["verdict-of-somebody-else/algo-1"]


def test_nothing_is_deleted_without_confirmation(aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create_model(aws, stage)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(DeclinedError):
        torn_down(aws, Scope(stage), yes=False)
    assert kinds_left(aws, stage) == {Kind.MODEL}


def test_only_expired_endpoints_are_deleted_on_request(aws: Aws, stage: str) -> None:
    old = create_endpoint(aws, stage, "aaaaaaaaaaaa", expires="2020-01-01T00:00:00Z")
    young = create_endpoint(aws, stage, "bbbbbbbbbbbb", expires="2999-01-01T00:00:00Z")
    torn_down(aws, Scope(stage, expired_only=True))
    left = inventory.take(aws.account, stage)
    assert [resource.name for resource in left.of(Kind.ENDPOINT)] == [young]
    assert not [resource for resource in left.of(Kind.CONFIGURATION, Kind.MODEL) if resource.name.startswith(old)]
    assert len(left.of(Kind.CONFIGURATION, Kind.MODEL)) == 2


def test_only_running_jobs_are_stopped_on_request(
    aws: Aws, stage: str, simulated: SimulatedAws, quickly: Callable[[float], None]
) -> None:
    endpoint = create_endpoint(aws, stage)
    training = start_stuck_job(aws, simulated, stage)
    bucket.put_bytes(aws.account, f"transform/verdict-{stage}-of-another/output/unread.out", b"0.5\n")
    simulated.fault_injector.inject("CreateTransformJob", "stuck", times=1)
    with pytest.raises(StoppedWaitingError, match=f"verdict teardown --stage {stage} --jobs"):
        score_in_batch(interrupted(aws), stage, small_candidate(), ["0:1"], "ml.m5.xlarge", yes=True)
    (transform,) = inventory.take(aws.account, stage).of(Kind.TRANSFORM_JOB)
    aws.pause = quickly
    torn_down(aws, Scope(stage, jobs_only=True))
    assert f"Stopped: training-job {training}" in printed(aws)
    assert f"Stopped: {transform.label}" in printed(aws)
    left = inventory.take(aws.account, stage)
    assert left.jobs == []
    assert [resource.name for resource in left.of(Kind.ENDPOINT)] == [endpoint]
    assert len(left.of(Kind.MODEL)) == 1
    assert ["of-another" in output.name for output in left.of(Kind.TRANSFORM_OUTPUT)] == [True]


def test_the_users_own_bucket_is_never_deleted(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.account.client("s3").create_bucket(Bucket="somebodys-own")
    monkeypatch.setenv("VERDICT_BUCKET", "somebodys-own")
    torn_down(aws, Scope(None, optional=("bucket",)))
    assert bucket.exists(aws.account)
    assert "Deleted: bucket" not in printed(aws)


def test_an_untagged_endpoint_is_never_deleted(aws: Aws, stage: str) -> None:
    endpoint = create_endpoint(aws, stage)
    sagemaker = aws.account.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[names.APP_TAG])
    torn_down(aws, Scope(stage))
    assert wait_until_stable(aws, endpoint) == "InService"
    sagemaker.add_tags(ResourceArn=arn, Tags=names.tags(stage))


def test_unlisted_resources_are_not_claimed_to_be_deleted(aws: Aws, stage: str, simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("ListTrainingJobs", "denied")
    with pytest.raises(UnreadError, match=r"listed \(training jobs\)") as caught:
        torn_down(aws, Scope(stage))
    assert "Nothing that is billed is left" not in printed(aws)
    assert "Could not be listed, and may exist: training jobs: These credentials do not allow" in printed(aws)
    assert "These credentials" not in caught.value.detail  # already printed


def test_models_are_kept_if_the_endpoints_cannot_be_listed(aws: Aws, stage: str, simulated: SimulatedAws) -> None:
    endpoint = create_endpoint(aws, stage, instances=1)
    create_surroundings(aws, stage, endpoint)
    simulated.fault_injector.inject("ListEndpoints", "denied")
    with pytest.raises(UnreadError):
        torn_down(aws, Scope(stage))
    assert f"alarm {endpoint}-v1-failures: Kept: the endpoints could not be listed, and may use it." in printed(aws)
    simulated.fault_injector.clear()
    assert kinds_left(aws, stage) == {Kind.SCALABLE_TARGET, Kind.ALARM, Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL}
    torn_down(aws, Scope(stage))
    assert kinds_left(aws, stage) == set()
