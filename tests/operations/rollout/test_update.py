"""Updates: another release takes over under constant requests, or the old one stays."""

import time
from dataclasses import replace
from typing import Any

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import alarms, canary, endpoint_state
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.traffic_shift import RolloutStrategy, ShiftError, deployment_config, wait_for_configuration
from operations.endpoint.transition import rollback_configuration
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.update import update
from simulator.aws import SimulatedAws
from tests.operations.candidates import constant_requests, interrupted, resources_of, serves, small_candidate

INSTANCES = HostingSpec("ml.m5.large", 1)
QUICK = RolloutStrategy("canary", bake_seconds=1)


@pytest.mark.parametrize("kind", ["canary", "linear", "all"])
def test_another_release_takes_over_with_no_failed_request(aws: Aws, stage: str, kind: str) -> None:
    old, new = small_candidate(seed=1), small_candidate(seed=2)
    before = deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    with constant_requests(aws, before.name, old) as failures:
        after = update(aws, new, stage, RolloutStrategy(kind, bake_seconds=1), yes=True)
    assert not failures
    assert serves(aws, after, new)
    now = endpoint_state.require_in_service(aws.account, before.name, stage)
    assert (now.release, now.tags["verdict:previous"]) == (new.release_id, before.configuration)


def test_a_serverless_endpoint_can_be_updated(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, HostingSpec()), yes=True)
    assert serves(aws, update(aws, small_candidate(seed=2), stage, QUICK, yes=True), small_candidate(seed=2))


def test_a_failed_update_leaves_the_old_release_and_nothing_else(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    old = small_candidate(seed=1)
    before = deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    before_update = resources_of(aws, stage)
    simulated.fault_injector.inject("UpdateEndpoint", "fail")
    with pytest.raises(AwsError) as caught:
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    assert caught.value.kind == "rolled-back"
    assert resources_of(aws, stage) == before_update
    assert serves(aws, before, old)


def test_a_refused_update_leaves_nothing(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    before_update = resources_of(aws, stage)
    simulated.fault_injector.inject("UpdateEndpoint", "denied")
    with pytest.raises(AwsError, match="sagemaker:UpdateEndpoint"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    assert resources_of(aws, stage) == before_update


def test_an_update_to_the_deployed_release_changes_nothing(aws: Aws, stage: str) -> None:
    candidate = small_candidate()
    before = deploy(aws, candidate, DeploymentSpec(stage, INSTANCES), yes=True)
    assert update(aws, candidate, stage, QUICK, yes=True).configuration == before.configuration


def test_an_update_without_an_endpoint_points_to_deploy(aws: Aws, stage: str) -> None:
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


def routing(strategy: RolloutStrategy, instances: int) -> dict[str, Any]:
    return deployment_config(strategy, instances, [])["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]


def test_an_update_is_guarded_by_alarms_and_keeps_the_old_fleet_briefly() -> None:
    config = deployment_config(RolloutStrategy("linear", bake_seconds=60), 8, ["failures"])
    assert config["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "failures"}]}
    assert config["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 120


@pytest.mark.parametrize(("instances", "first"), [(2, 1), (9, 1), (10, 1), (30, 3)])
def test_a_canary_is_a_tenth_of_the_instances_and_at_most_half(instances: int, first: int) -> None:
    assert routing(RolloutStrategy("canary"), instances)["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": first}


@pytest.mark.parametrize(("instances", "step"), [(2, 1), (3, 1), (8, 2)])
def test_linear_steps_are_quarters_and_at_most_half(instances: int, step: int) -> None:
    assert routing(RolloutStrategy("linear"), instances)["LinearStepSize"] == {"Type": "INSTANCE_COUNT", "Value": step}


def test_traffic_of_one_instance_moves_all_at_once() -> None:
    assert routing(RolloutStrategy("canary"), 1) == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}


def test_a_bake_time_above_the_limit_is_refused_without_a_request() -> None:
    with pytest.raises(ShiftError, match="--bake"):
        deployment_config(RolloutStrategy("canary", bake_seconds=7200), 8, [])


@pytest.mark.parametrize("instances", [3, 7, 30])
def test_the_timeout_covers_all_steps_within_the_service_limit(instances: int) -> None:
    config = deployment_config(RolloutStrategy("linear", bake_seconds=3600), instances, [])["BlueGreenUpdatePolicy"]
    assert 3 * 3600 <= config["MaximumExecutionTimeoutInSeconds"] <= 28_800


def report_failures_until_alarm(aws: Aws, endpoint: str) -> None:
    """Report 5xx errors to CloudWatch, as SageMaker does, until the alarm is in ALARM."""
    named = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "release"}]
    failures = {"MetricName": "Invocation5XXErrors", "Dimensions": named, "Value": 5.0}
    deadline = time.monotonic() + 20
    while not alarms.alarms_in_alarm(aws, endpoint):
        assert time.monotonic() < deadline
        aws.account.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=[failures])
        canary.score_rows(aws.account, endpoint, ["0:1"])  # the simulator evaluates alarms on requests


def test_an_update_in_alarm_points_to_rollback_unless_unwatched(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    report_failures_until_alarm(aws, deployed.name)
    with pytest.raises(AwsError, match="--unwatched"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    moved = update(aws, small_candidate(seed=2), stage, replace(QUICK, watched=False), yes=True)
    assert serves(aws, moved, small_candidate(seed=2))


def failed_move(aws: Aws, endpoint: DeployedEndpoint) -> str:
    """Return the message of an update whose endpoint has another configuration at its end."""
    with pytest.raises(AwsError) as caught:
        wait_for_configuration(aws, endpoint.name, "another-configuration", 1.0, "", endpoint.created)
    assert caught.value.kind == "rolled-back"
    return caught.value.detail


def test_a_rollback_without_a_reason_shows_no_log_of_successes(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, small_candidate(), DeploymentSpec(stage, INSTANCES), yes=True)
    message = failed_move(aws, deployed)
    assert "SageMaker does not report why" in message
    assert f"is in service with configuration {deployed.configuration}" in message
    assert f"`verdict logs --stage {stage}`" in message
    assert "Model loaded successfully" not in message


def test_a_rollback_without_a_reason_names_the_alarm(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, small_candidate(), DeploymentSpec(stage, INSTANCES), yes=True)
    report_failures_until_alarm(aws, deployed.name)
    assert f"rolled back: {deployed.name}-release-failures is in ALARM." in failed_move(aws, deployed)


def test_a_failed_update_shows_the_log_of_its_error(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.inject("UpdateEndpoint", "fail")
    with pytest.raises(AwsError, match=r"(?s)ping health check.*Its log ends:\n.*Worker failed to boot"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)


def test_an_interrupted_update_is_finished_by_the_same_command(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    before = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.inject("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError, match=f"update --stage {stage}"):
        update(interrupted(aws), small_candidate(seed=2), stage, QUICK, yes=True)
    update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    now = endpoint_state.require_in_service(aws.account, before.name, stage)
    assert (now.tags["verdict:previous"], now.release) == (before.configuration, small_candidate(seed=2).release_id)
    assert "verdict:updating-from" not in now.tags


def test_an_interrupted_update_can_be_rolled_back(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    before = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.inject("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError):
        update(interrupted(aws), small_candidate(seed=2), stage, QUICK, True)
    endpoint_state.wait_until_stable(aws, before.name, "")
    assert (
        rollback_configuration(endpoint_state.require_in_service(aws.account, before.name, stage))
        == before.configuration
    )


def test_a_stuck_update_stops_waiting_after_the_given_minutes(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)
    simulated.fault_injector.inject("UpdateEndpoint", "stuck")
    with pytest.raises(StoppedWaitingError, match="Updating"):
        update(aws, small_candidate(seed=2), stage, replace(QUICK, minutes=0.005), yes=True)
