"""Updates: another release takes over while the endpoint is asked, or the old one stays."""

import time
from dataclasses import replace
from typing import Any

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import alarms, canary, endpoint_state
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.traffic_shift import RolloutStrategy, ShiftError, deployment
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.rollback import way_back
from operations.rollout.update import update
from simulator.aws import SimulatedAws
from tests.operations.candidates import asked_meanwhile, serves, small_candidate
from tests.operations.rollout.test_deploy import left_of

INSTANCES = HostingSpec("ml.m5.large", 1)
QUICK = RolloutStrategy("canary", bake_seconds=1)


@pytest.mark.parametrize("kind", ["canary", "linear", "all"])
def test_another_release_takes_over_with_no_failed_request(aws: Aws, stage: str, kind: str) -> None:
    old, new = small_candidate(seed=1), small_candidate(seed=2)
    before = deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    with asked_meanwhile(aws, before.name, old) as failures:
        after = update(aws, new, stage, RolloutStrategy(kind, bake_seconds=1), yes=True)
    assert not failures
    assert serves(aws, after, new)
    now = endpoint_state.require_in_service(aws.account, before.name, stage)
    assert (now.release, now.tags["verdict:previous"]) == (new.release_id, before.configuration)


def test_a_serverless_endpoint_is_updated_too(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, HostingSpec()), yes=True)
    assert serves(aws, update(aws, small_candidate(seed=2), stage, QUICK, yes=True), small_candidate(seed=2))


def test_an_update_that_does_not_hold_leaves_the_old_release_and_nothing_else(
    aws: Aws, simulated: SimulatedAws, stage: str
) -> None:
    old = small_candidate(seed=1)
    before = deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    exists = left_of(aws, stage)
    simulated.fault_injector.order("UpdateEndpoint", "fail")
    with pytest.raises(AwsError, match="The update did not hold"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    assert left_of(aws, stage) == exists
    assert serves(aws, before, old)


def test_an_update_that_is_refused_leaves_nothing(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    exists = left_of(aws, stage)
    simulated.fault_injector.order("UpdateEndpoint", "denied")
    with pytest.raises(AwsError, match="may not sagemaker:UpdateEndpoint"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    assert left_of(aws, stage) == exists


def test_an_update_to_what_is_there_changes_nothing(aws: Aws, stage: str) -> None:
    one = small_candidate()
    before = deploy(aws, one, DeploymentSpec(stage, INSTANCES), yes=True)
    assert update(aws, one, stage, QUICK, yes=True).configuration == before.configuration


def test_without_an_endpoint_update_points_to_deploy(aws: Aws, stage: str) -> None:
    with pytest.raises(AwsError, match=f"verdict deploy --stage {stage}"):
        update(aws, small_candidate(), stage, QUICK, yes=True)


def test_another_vocabulary_gets_an_endpoint_beside_the_old_one(aws: Aws, stage: str) -> None:
    old, new = small_candidate(), small_candidate(terms=("superb", "dull", "awful"))
    first = deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    second = update(aws, new, stage, QUICK, yes=True)
    assert second.name != first.name
    assert second.hosting == INSTANCES
    assert second.tags["verdict:replaces"] == old.release_id
    assert serves(aws, first, old)
    assert serves(aws, second, new)


def routing(manner: RolloutStrategy, instances: int) -> dict[str, Any]:
    return deployment(manner, instances, [])["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]


def test_an_update_is_watched_by_alarms_and_keeps_the_old_fleet_a_while() -> None:
    asked = deployment(RolloutStrategy("linear", bake_seconds=60), 8, ["failures"])
    assert asked["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "failures"}]}
    assert asked["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 120


@pytest.mark.parametrize(("instances", "first"), [(2, 1), (9, 1), (10, 1), (30, 3)])
def test_a_canary_is_a_tenth_of_the_instances_and_never_more_than_half(instances: int, first: int) -> None:
    assert routing(RolloutStrategy("canary"), instances)["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": first}


@pytest.mark.parametrize(("instances", "step"), [(2, 1), (3, 1), (8, 2)])
def test_linear_steps_are_quarters_and_never_more_than_half(instances: int, step: int) -> None:
    assert routing(RolloutStrategy("linear"), instances)["LinearStepSize"] == {"Type": "INSTANCE_COUNT", "Value": step}


def test_one_instance_has_no_tenth_and_moves_at_once() -> None:
    assert routing(RolloutStrategy("canary"), 1) == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}


def test_watching_for_longer_than_sagemaker_allows_is_refused_before_it_is_asked() -> None:
    with pytest.raises(ShiftError, match="--bake 1h"):
        deployment(RolloutStrategy("canary", bake_seconds=7200), 8, [])


@pytest.mark.parametrize("instances", [3, 7, 30])
def test_the_time_allowed_covers_all_that_is_watched_and_is_within_the_service_limit(instances: int) -> None:
    asked = deployment(RolloutStrategy("linear", bake_seconds=3600), instances, [])["BlueGreenUpdatePolicy"]
    assert 3 * 3600 <= asked["MaximumExecutionTimeoutInSeconds"] <= 28_800


def fail_until_the_alarm_sounds(aws: Aws, endpoint: str) -> None:
    """Report failures of the model to CloudWatch, as SageMaker does, until its alarm has heard of them."""
    named = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "release"}]
    failures = {"MetricName": "Invocation5XXErrors", "Dimensions": named, "Value": 5.0}
    deadline = time.monotonic() + 20
    while not alarms.alarms_in_alarm(aws, endpoint):
        assert time.monotonic() < deadline
        aws.account.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=[failures])
        canary.ask(aws.account, endpoint, ["0:1"])  # what is counted is looked at when somebody asks


def test_while_an_alarm_sounds_an_update_points_to_rollback_and_can_be_unwatched(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    fail_until_the_alarm_sounds(aws, deployed.name)
    with pytest.raises(AwsError, match="--unwatched"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    moved = update(aws, small_candidate(seed=2), stage, replace(QUICK, watched=False), yes=True)
    assert serves(aws, moved, small_candidate(seed=2))


def test_an_interrupted_update_is_finished_by_the_same_command(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    before = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.order("UpdateEndpoint", "slow")
    impatient = Aws(aws.account, aws.journal, aws.console, pause=interrupt)
    with pytest.raises(StoppedWaitingError, match=f"update --stage {stage}"):
        update(impatient, small_candidate(seed=2), stage, QUICK, yes=True)
    update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    now = endpoint_state.require_in_service(aws.account, before.name, stage)
    assert (now.tags["verdict:previous"], now.release) == (before.configuration, small_candidate(seed=2).release_id)
    assert "verdict:updating-from" not in now.tags


def test_an_interrupted_update_can_be_rolled_back_as_it_is(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    before = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.order("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError):
        update(Aws(aws.account, aws.journal, aws.console, pause=interrupt), small_candidate(seed=2), stage, QUICK, True)
    endpoint_state.wait_until_stable(aws, before.name, "")
    assert way_back(endpoint_state.require_in_service(aws.account, before.name, stage)) == before.configuration


def test_a_stuck_update_is_given_up_after_the_minutes_that_were_said(
    aws: Aws, simulated: SimulatedAws, stage: str
) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.order("UpdateEndpoint", "stuck")
    with pytest.raises(StoppedWaitingError, match=r"Still verdict-.* is Updating"):
        update(aws, small_candidate(seed=2), stage, replace(QUICK, minutes=0.01), yes=True)
