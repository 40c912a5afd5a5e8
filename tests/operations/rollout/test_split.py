"""Traffic between variants of one endpoint: split, moved, and given to the winner under constant requests."""

import click
import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import autoscaling, canary, endpoint_state
from operations.endpoint.autoscaling import AutoscalingLimits
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import HostingError, HostingSpec
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.traffic_shift import RolloutStrategy
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.split import SplitSpec, parse_weights, split
from operations.rollout.update import update
from operations.rollout.variants import rows
from simulator.aws import SimulatedAws
from tests.operations.candidates import constant_requests, interrupted, resources_of, serves, small_candidate
from training.model.canary import score_canary

INSTANCES = HostingSpec("ml.m5.large", 1)
QUICK = RolloutStrategy("canary", bake_seconds=1)
RELEASE = small_candidate(seed=1)
CHALLENGER = small_candidate("challenger", seed=2)


def spec_of(
    stage: str, *candidates: Candidate, weights: tuple[float, ...] = (1.0, 1.0), drop_others: bool = False
) -> SplitSpec:
    """Return a split between candidates by these weights."""
    by_name = {candidate.name: weight for candidate, weight in zip(candidates, weights, strict=False)}
    return SplitSpec(stage, RELEASE.encoder.fingerprint, candidates, by_name, drop_others)


def weights_of(endpoint: DeployedEndpoint) -> dict[str, float]:
    return {variant.name: variant.weight for variant in endpoint.variants}


@pytest.fixture
def deployed(aws: Aws, stage: str) -> DeployedEndpoint:
    """An endpoint on one instance that serves the packaged release."""
    return deploy(aws, RELEASE, DeploymentSpec(stage, INSTANCES), yes=True)


def test_traffic_is_split_moved_and_given_to_the_winner(aws: Aws, stage: str, deployed: DeployedEndpoint) -> None:
    with constant_requests(aws, deployed.name, RELEASE) as failures:
        both = split(aws, spec_of(stage, RELEASE, CHALLENGER, weights=(90.0, 10.0)), yes=True)
        assert weights_of(both) == {"release": 90.0, "challenger": 10.0}
        assert weights_of(split(aws, spec_of(stage, CHALLENGER))) == {"release": 0.0, "challenger": 1.0}
        won = split(aws, spec_of(stage, CHALLENGER, drop_others=True), yes=True)
    assert not failures
    assert [variant.name for variant in won.variants] == ["challenger"]
    assert serves(aws, won, CHALLENGER)


@pytest.mark.usefixtures("deployed")
def test_each_variant_can_be_invoked_by_name(aws: Aws, stage: str) -> None:
    both = split(aws, spec_of(stage, RELEASE, CHALLENGER, weights=(1.0, 0.0)), yes=True)
    for candidate in (RELEASE, CHALLENGER):
        expected = score_canary(candidate.model, candidate.encoder)
        scores = canary.score_rows(aws.account, both.name, expected.rows, candidate.name)
        assert scores == (expected.scores, candidate.name)
    assert {row[0]: row[1] for row in rows(aws.account, both, "")} == {"release": "100%", "challenger": "0%"}


@pytest.mark.usefixtures("deployed")
def test_an_update_is_refused_while_traffic_is_split(aws: Aws, stage: str) -> None:
    split(aws, spec_of(stage, RELEASE, CHALLENGER), yes=True)
    with pytest.raises(AwsError) as caught:
        update(aws, small_candidate(seed=3), stage, QUICK, yes=True)
    assert caught.value.kind == "split"


@pytest.mark.usefixtures("deployed")
def test_the_alarms_of_a_removed_variant_are_deleted(aws: Aws, stage: str) -> None:
    won = split(aws, spec_of(stage, CHALLENGER, drop_others=True), yes=True)
    found = aws.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=won.name)["MetricAlarms"]
    assert {alarm["Dimensions"][1]["Value"] for alarm in found} == {"challenger"}


@pytest.mark.usefixtures("deployed")
def test_a_model_with_another_vocabulary_is_refused(aws: Aws, stage: str) -> None:
    before = resources_of(aws, stage)
    with pytest.raises(AwsError) as caught:
        split(aws, spec_of(stage, RELEASE, small_candidate("other", terms=("superb", "dull"))), yes=True)
    assert caught.value.kind == "vocabulary"
    assert resources_of(aws, stage) == before


def test_a_serverless_endpoint_cannot_be_split(aws: Aws, stage: str) -> None:
    deploy(aws, RELEASE, DeploymentSpec(stage, HostingSpec()), yes=True)
    with pytest.raises(HostingError, match="--instance-type"):
        split(aws, spec_of(stage, RELEASE, CHALLENGER), yes=True)


@pytest.mark.parametrize("stated", [["release"], ["release=much"], ["release=1", "release=2"], ["release=0"]])
def test_weights_that_cannot_be_read_are_refused(stated: list[str]) -> None:
    with pytest.raises(click.BadParameter):
        parse_weights(stated)


def test_the_winner_gets_the_autoscaling_of_the_loser(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, RELEASE, DeploymentSpec(stage, INSTANCES, max_instances=3), yes=True)
    split(aws, spec_of(stage, CHALLENGER, drop_others=True), yes=True)
    assert autoscaling.find(aws, deployed.name, "challenger") == AutoscalingLimits("challenger", 1, 3, 600.0)
    assert autoscaling.find(aws, deployed.name, "release") is None


def test_an_interrupted_split_is_resumed_by_the_same_command(
    aws: Aws, simulated: SimulatedAws, stage: str, deployed: DeployedEndpoint
) -> None:
    spec = spec_of(stage, RELEASE, CHALLENGER, weights=(3.0, 1.0))
    simulated.fault_injector.inject("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError, match="split release=3 challenger=1 --stage"):
        split(interrupted(aws), spec, yes=True)
    found = split(aws, spec, yes=True)
    assert weights_of(found) == {"release": 3.0, "challenger": 1.0}
    now = endpoint_state.require_in_service(aws.account, found.name, stage)
    assert now.release == deployed.release
    assert "verdict:updating-from" not in now.tags


def test_a_rollback_ignores_a_split_until_another_release_wins(
    aws: Aws, stage: str, deployed: DeployedEndpoint
) -> None:
    second, challenger = small_candidate(seed=2), small_candidate("challenger", seed=3)
    update(aws, second, stage, QUICK, yes=True)
    split(aws, spec_of(stage, second, challenger), yes=True)
    ended = split(aws, spec_of(stage, second, drop_others=True), yes=True)
    now = endpoint_state.require_in_service(aws.account, ended.name, stage)
    assert (now.release, now.tags["verdict:previous"]) == (second.release_id, deployed.configuration)
    split(aws, spec_of(stage, second, challenger), yes=True)
    won = split(aws, spec_of(stage, challenger, drop_others=True), yes=True)
    assert endpoint_state.require_in_service(aws.account, won.name, stage).release == challenger.release_id


def test_a_split_keeps_the_number_of_instances(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, RELEASE, DeploymentSpec(stage, HostingSpec("ml.m5.large", 2)), yes=True)
    with pytest.raises(AwsError, match="endpoint usage"):  # six instances are needed, the quota is four
        split(aws, spec_of(stage, RELEASE, CHALLENGER), yes=True)
    now = endpoint_state.require_in_service(aws.account, deployed.name, stage)
    assert [(variant.name, variant.count) for variant in now.variants] == [("release", 2)]
