"""Another size for an endpoint in service: no failed request, and nothing left behind after a failure."""

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import autoscaling
from operations.endpoint.endpoint_config import HostingSpec
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.split import SplitSpec, split
from simulator.aws import SimulatedAws
from tests.operations.candidates import constant_requests, printed, resources_of, serves, small_candidate

ONE, TWO = HostingSpec("ml.m5.large", 1), HostingSpec("ml.m5.large", 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ONE, TWO),
        (ONE, HostingSpec("ml.m5.xlarge", 1)),
        (HostingSpec(), HostingSpec(memory_mb=1024, concurrency=2)),
    ],
)
def test_an_endpoint_is_resized_with_no_failed_request(
    aws: Aws, stage: str, before: HostingSpec, after: HostingSpec
) -> None:
    candidate = small_candidate()
    first = deploy(aws, candidate, DeploymentSpec(stage, before), yes=True)
    with constant_requests(aws, first.name, candidate) as failures:
        resized = deploy(aws, candidate, DeploymentSpec(stage, after), yes=True)
    assert not failures
    assert (resized.hosting, resized.created) == (after, first.created)
    assert serves(aws, resized, candidate)
    assert f"{before} -> {after}" in printed(aws)
    assert "verdict:updating-from" not in resized.tags


def test_a_failed_resize_leaves_the_endpoint_as_it_was(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    candidate = small_candidate()
    before = deploy(aws, candidate, DeploymentSpec(stage, ONE), yes=True)
    resources = resources_of(aws, stage)
    simulated.fault_injector.inject("UpdateEndpoint", "capacity")
    with pytest.raises(AwsError) as caught:
        deploy(aws, candidate, DeploymentSpec(stage, TWO), yes=True)
    assert caught.value.kind == "rolled-back"
    assert resources_of(aws, stage) == resources
    assert serves(aws, before, candidate)


def test_autoscaling_keeps_at_least_the_new_size(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(), DeploymentSpec(stage, ONE, max_instances=3), yes=True)
    resized = deploy(aws, small_candidate(), DeploymentSpec(stage, TWO), yes=True)
    limits = autoscaling.find(aws, resized.name, "release")
    assert limits
    assert (limits.min_instances, limits.max_instances) == (2, 3)


def test_a_split_of_one_model_is_warned_about_and_not_resized(aws: Aws, stage: str) -> None:
    release, copy = small_candidate(), small_candidate("copy")
    deploy(aws, release, DeploymentSpec(stage, ONE), yes=True)
    spec = SplitSpec(stage, release.encoder.fingerprint, [release, copy], {"release": 1.0, "copy": 1.0})
    split(aws, spec, yes=True)
    assert "Warning: release and copy serve the same model" in printed(aws)
    with pytest.raises(AwsError, match="is split between release, copy"):
        deploy(aws, release, DeploymentSpec(stage, TWO), yes=True)
