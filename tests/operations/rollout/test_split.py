"""Traffic among variants of one endpoint: split, shifted, and given to the winner while people ask."""

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import autoscaling, canary, endpoint_state
from operations.endpoint.autoscaling import AutoscalingLimits
from operations.endpoint.endpoint_config import HostingError, HostingSpec
from operations.endpoint.traffic_shift import RolloutStrategy
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.split import SplitSpec, parse_weights, split
from operations.rollout.update import update
from operations.rollout.variants import rows
from simulator.aws import SimulatedAws
from tests.operations.candidates import asked_meanwhile, serves, small_candidate
from tests.operations.rollout.test_deploy import left_of
from training.model.canary import computed

INSTANCES = HostingSpec("ml.m5.large", 1)
QUICK = RolloutStrategy("canary", bake_seconds=1)


def test_traffic_is_split_shifted_and_given_to_the_winner(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    before = deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    fingerprint = one.encoder.fingerprint
    with asked_meanwhile(aws, before.name, one) as failures:
        both = split(aws, SplitSpec(stage, fingerprint, [one, two], {"release": 90.0, "challenger": 10.0}), yes=True)
        assert {variant.name: variant.weight for variant in both.variants} == {"release": 90.0, "challenger": 10.0}
        shifted = split(aws, SplitSpec(stage, fingerprint, [two], {"challenger": 1.0}))
        assert {variant.name: variant.weight for variant in shifted.variants} == {"release": 0.0, "challenger": 1.0}
        won = split(aws, SplitSpec(stage, fingerprint, [two], {"challenger": 1.0}, drop_others=True), yes=True)
    assert not failures
    assert [variant.name for variant in won.variants] == ["challenger"]
    assert serves(aws, won, two)


def test_each_variant_can_be_pinned(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    both = split(
        aws, SplitSpec(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 0.0}), yes=True
    )
    for candidate in (one, two):
        known = computed(candidate.model, candidate.encoder)
        assert canary.ask(aws.account, both.name, known.rows, candidate.name) == (known.scores, candidate.name)
    shares = {line[0]: line[1] for line in rows(aws.account, both, "")}
    assert shares == {"release": "100%", "challenger": "0%"}


def test_while_traffic_is_split_an_update_asks_for_the_winner(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    split(aws, SplitSpec(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 1.0}), yes=True)
    with pytest.raises(AwsError, match="Choose the winner first"):
        update(aws, small_candidate(seed=3), stage, QUICK, yes=True)


def test_a_variant_that_leaves_is_no_longer_watched(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    won = split(aws, SplitSpec(stage, one.encoder.fingerprint, [two], {"challenger": 1.0}, drop_others=True), yes=True)
    found = aws.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=won.name)["MetricAlarms"]
    assert {alarm["Dimensions"][1]["Value"] for alarm in found} == {"challenger"}


def test_a_model_of_another_vocabulary_is_refused(aws: Aws, stage: str) -> None:
    one, stranger = small_candidate(), small_candidate("stranger", terms=("superb", "dull"))
    deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    exists = left_of(aws, stage)
    with pytest.raises(AwsError, match="would misread every row"):
        split(
            aws, SplitSpec(stage, one.encoder.fingerprint, [one, stranger], {"release": 1.0, "stranger": 1.0}), yes=True
        )
    assert left_of(aws, stage) == exists


def test_a_serverless_endpoint_cannot_be_split(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, DeploymentSpec(stage, HostingSpec()), yes=True)
    with pytest.raises(HostingError, match="--instance-type"):
        split(aws, SplitSpec(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 1.0}), yes=True)


@pytest.mark.parametrize("stated", [["release"], ["release=much"], ["release=1", "release=2"], ["release=0"]])
def test_weights_that_say_nothing_are_refused(stated: list[str]) -> None:
    with pytest.raises(Exception, match=r"weight"):
        parse_weights(stated)


def test_the_winner_is_scaled_as_the_loser_was(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deployed = deploy(aws, one, DeploymentSpec(stage, INSTANCES, most_instances=3), yes=True)
    split(aws, SplitSpec(stage, one.encoder.fingerprint, [two], {"challenger": 1.0}, drop_others=True), yes=True)
    assert autoscaling.of(aws, deployed.name, "challenger") == AutoscalingLimits("challenger", 1, 3, 600.0)
    assert autoscaling.of(aws, deployed.name, "release") is None


def test_an_interrupted_split_is_finished_by_the_same_command(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    before = deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    wanted = SplitSpec(stage, one.encoder.fingerprint, [one, two], {"release": 3.0, "challenger": 1.0})
    simulated.fault_injector.order("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError, match="split release=3 challenger=1 --stage"):
        split(Aws(aws.account, aws.journal, aws.console, pause=interrupt), wanted, yes=True)
    found = split(aws, wanted, yes=True)
    assert {variant.name: variant.weight for variant in found.variants} == {"release": 3.0, "challenger": 1.0}
    now = endpoint_state.require_in_service(aws.account, found.name, stage)
    assert now.release == before.release
    assert "verdict:updating-from" not in now.tags


def test_the_way_back_leads_past_a_split_until_another_release_wins(aws: Aws, stage: str) -> None:
    one, two, three = small_candidate(seed=1), small_candidate(seed=2), small_candidate("challenger", seed=3)
    first = deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    fingerprint = one.encoder.fingerprint
    update(aws, two, stage, QUICK, yes=True)
    split(aws, SplitSpec(stage, fingerprint, [two, three], {"release": 1.0, "challenger": 1.0}), yes=True)
    ended = split(aws, SplitSpec(stage, fingerprint, [two], {"release": 1.0}, drop_others=True), yes=True)
    now = endpoint_state.require_in_service(aws.account, ended.name, stage)
    assert (now.release, now.tags["verdict:previous"]) == (two.release_id, first.configuration)
    split(aws, SplitSpec(stage, fingerprint, [two, three], {"release": 1.0, "challenger": 1.0}), yes=True)
    won = split(aws, SplitSpec(stage, fingerprint, [three], {"challenger": 1.0}, drop_others=True), yes=True)
    assert endpoint_state.require_in_service(aws.account, won.name, stage).release == three.release_id


def test_a_split_keeps_the_instances_that_there_are(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, DeploymentSpec(stage, HostingSpec("ml.m5.large", 2)), yes=True)
    wanted = SplitSpec(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 1.0})
    with pytest.raises(AwsError, match="endpoint usage"):  # six machines, while four are allowed
        split(aws, wanted, yes=True)
    now = endpoint_state.require_in_service(aws.account, f"verdict-{stage}-{one.encoder.fingerprint}", stage)
    assert [(variant.name, variant.instances) for variant in now.variants] == [("release", 2)]
