"""Endpoints that change while they are asked: updates, splits, and the way back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.training.sagemaker.candidates import small_candidate
from tests.training.sagemaker.test_deploy import left_of
from training.aws.command import Aws
from training.aws.faults import AwsError
from training.aws.waiting import StoppedWaitingError
from training.canary import computed
from training.sagemaker.deploy import Wish, deploy
from training.sagemaker.rollback import way_back
from training.sagemaker.serving import alarms, autoscaling, canary, endpoints
from training.sagemaker.serving.autoscaling import Scaled
from training.sagemaker.serving.candidate import Candidate
from training.sagemaker.serving.endpoints import Endpoint
from training.sagemaker.serving.hosting import Hosting, HostingError
from training.sagemaker.serving.shift import Manner, ShiftError, deployment
from training.sagemaker.split import Split, parse_weights, split
from training.sagemaker.update import update
from training.sagemaker.variants import rows
from training.simulator.aws import SimulatedAws

INSTANCES = Hosting("ml.m5.large", 1)
QUICK = Manner("canary", bake_seconds=1)


@contextmanager
def asked_meanwhile(aws: Aws, endpoint: str, one: Candidate) -> Iterator[list[str]]:
    """Ask an endpoint from two threads while the block runs; the list gets every failure."""
    stop, failures, row = threading.Event(), [], computed(one.model, one.encoder).rows[0]

    def ask() -> None:
        while not stop.is_set():
            try:
                canary.ask(aws.account, endpoint, [row])
            except canary.CanaryError as error:
                failures.append(error.detail)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def serves(aws: Aws, found: Endpoint, one: Candidate) -> bool:
    return canary.check(aws.account, found.name, computed(one.model, one.encoder)) == 0


@pytest.mark.parametrize("kind", ["canary", "linear", "all"])
def test_another_release_takes_over_with_no_failed_request(aws: Aws, stage: str, kind: str) -> None:
    old, new = small_candidate(seed=1), small_candidate(seed=2)
    before = deploy(aws, old, Wish(stage, INSTANCES), yes=True)
    with asked_meanwhile(aws, before.name, old) as failures:
        after = update(aws, new, stage, Manner(kind, bake_seconds=1), yes=True)
    assert not failures
    assert serves(aws, after, new)
    now = endpoints.need(aws.account, before.name, stage)
    assert (now.release, now.tags["verdict:previous"]) == (new.release_id, before.configuration)


def test_a_serverless_endpoint_is_updated_too(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), Wish(stage, Hosting()), yes=True)
    assert serves(aws, update(aws, small_candidate(seed=2), stage, QUICK, yes=True), small_candidate(seed=2))


def test_an_update_that_does_not_hold_leaves_the_old_release_and_nothing_else(
    aws: Aws, simulated: SimulatedAws, stage: str
) -> None:
    old = small_candidate(seed=1)
    before = deploy(aws, old, Wish(stage, INSTANCES), yes=True)
    exists = left_of(aws, stage)
    simulated.mishaps.order("UpdateEndpoint", "fail")
    with pytest.raises(AwsError, match="The update did not hold"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    assert left_of(aws, stage) == exists
    assert serves(aws, before, old)


def test_an_update_that_is_refused_leaves_nothing(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), Wish(stage, INSTANCES), yes=True)
    exists = left_of(aws, stage)
    simulated.mishaps.order("UpdateEndpoint", "denied")
    with pytest.raises(AwsError, match="may not sagemaker:UpdateEndpoint"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    assert left_of(aws, stage) == exists


def test_an_update_to_what_is_there_changes_nothing(aws: Aws, stage: str) -> None:
    one = small_candidate()
    before = deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    assert update(aws, one, stage, QUICK, yes=True).configuration == before.configuration


def test_without_an_endpoint_update_points_to_deploy(aws: Aws, stage: str) -> None:
    with pytest.raises(AwsError, match=f"training deploy --stage {stage}"):
        update(aws, small_candidate(), stage, QUICK, yes=True)


def test_another_vocabulary_gets_an_endpoint_beside_the_old_one(aws: Aws, stage: str) -> None:
    old, new = small_candidate(), small_candidate(terms=("superb", "dull", "awful"))
    first = deploy(aws, old, Wish(stage, INSTANCES), yes=True)
    second = update(aws, new, stage, QUICK, yes=True)
    assert second.name != first.name
    assert second.hosting == INSTANCES
    assert second.tags["verdict:replaces"] == old.release_id
    assert serves(aws, first, old)
    assert serves(aws, second, new)


def test_traffic_is_split_shifted_and_given_to_the_winner(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    before = deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    fingerprint = one.encoder.fingerprint
    with asked_meanwhile(aws, before.name, one) as failures:
        both = split(aws, Split(stage, fingerprint, [one, two], {"release": 90.0, "challenger": 10.0}), yes=True)
        assert {variant.name: variant.weight for variant in both.variants} == {"release": 90.0, "challenger": 10.0}
        shifted = split(aws, Split(stage, fingerprint, [two], {"challenger": 1.0}))
        assert {variant.name: variant.weight for variant in shifted.variants} == {"release": 0.0, "challenger": 1.0}
        won = split(aws, Split(stage, fingerprint, [two], {"challenger": 1.0}, drop_others=True), yes=True)
    assert not failures
    assert [variant.name for variant in won.variants] == ["challenger"]
    assert serves(aws, won, two)


def test_each_variant_can_be_pinned(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    both = split(aws, Split(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 0.0}), yes=True)
    for candidate in (one, two):
        known = computed(candidate.model, candidate.encoder)
        assert canary.ask(aws.account, both.name, known.rows, candidate.name) == (known.scores, candidate.name)
    shares = {line[0]: line[1] for line in rows(aws.account, both, "")}
    assert shares == {"release": "100%", "challenger": "0%"}


def test_while_traffic_is_split_an_update_asks_for_the_winner(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    split(aws, Split(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 1.0}), yes=True)
    with pytest.raises(AwsError, match="Choose the winner first"):
        update(aws, small_candidate(seed=3), stage, QUICK, yes=True)


def test_a_variant_that_leaves_is_no_longer_watched(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    won = split(aws, Split(stage, one.encoder.fingerprint, [two], {"challenger": 1.0}, drop_others=True), yes=True)
    found = aws.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=won.name)["MetricAlarms"]
    assert {alarm["Dimensions"][1]["Value"] for alarm in found} == {"challenger"}


def test_a_model_of_another_vocabulary_is_refused(aws: Aws, stage: str) -> None:
    one, stranger = small_candidate(), small_candidate("stranger", terms=("superb", "dull"))
    deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    exists = left_of(aws, stage)
    with pytest.raises(AwsError, match="would misread every row"):
        split(aws, Split(stage, one.encoder.fingerprint, [one, stranger], {"release": 1.0, "stranger": 1.0}), yes=True)
    assert left_of(aws, stage) == exists


def test_a_serverless_endpoint_cannot_be_split(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, Wish(stage, Hosting()), yes=True)
    with pytest.raises(HostingError, match="--instance-type"):
        split(aws, Split(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 1.0}), yes=True)


@pytest.mark.parametrize("stated", [["release"], ["release=much"], ["release=1", "release=2"], ["release=0"]])
def test_weights_that_say_nothing_are_refused(stated: list[str]) -> None:
    with pytest.raises(Exception, match=r"weight"):
        parse_weights(stated)


def routing(manner: Manner, instances: int) -> dict[str, Any]:
    return deployment(manner, instances, [])["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]


def test_an_update_is_watched_by_alarms_and_keeps_the_old_fleet_a_while() -> None:
    asked = deployment(Manner("linear", bake_seconds=60), 8, ["failures"])
    assert asked["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "failures"}]}
    assert asked["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 120


@pytest.mark.parametrize(("instances", "first"), [(2, 1), (9, 1), (10, 1), (30, 3)])
def test_a_canary_is_a_tenth_of_the_instances_and_never_more_than_half(instances: int, first: int) -> None:
    assert routing(Manner("canary"), instances)["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": first}


@pytest.mark.parametrize(("instances", "step"), [(2, 1), (3, 1), (8, 2)])
def test_linear_steps_are_quarters_and_never_more_than_half(instances: int, step: int) -> None:
    assert routing(Manner("linear"), instances)["LinearStepSize"] == {"Type": "INSTANCE_COUNT", "Value": step}


def test_one_instance_has_no_tenth_and_moves_at_once() -> None:
    assert routing(Manner("canary"), 1) == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}


def test_watching_for_longer_than_sagemaker_allows_is_refused_before_it_is_asked() -> None:
    with pytest.raises(ShiftError, match="--bake 1h"):
        deployment(Manner("canary", bake_seconds=7200), 8, [])


@pytest.mark.parametrize("instances", [3, 7, 30])
def test_the_time_allowed_covers_all_that_is_watched_and_is_within_the_service_limit(instances: int) -> None:
    asked = deployment(Manner("linear", bake_seconds=3600), instances, [])["BlueGreenUpdatePolicy"]
    assert 3 * 3600 <= asked["MaximumExecutionTimeoutInSeconds"] <= 28_800


def fail_until_the_alarm_sounds(aws: Aws, endpoint: str) -> None:
    """Report failures of the model to CloudWatch, as SageMaker does, until its alarm has heard of them."""
    named = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "release"}]
    failures = {"MetricName": "Invocation5XXErrors", "Dimensions": named, "Value": 5.0}
    deadline = time.monotonic() + 20
    while not alarms.sounding(aws, endpoint):
        assert time.monotonic() < deadline
        aws.account.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=[failures])
        canary.ask(aws.account, endpoint, ["0:1"])  # what is counted is looked at when somebody asks


def test_while_an_alarm_sounds_an_update_points_to_rollback_and_can_be_unwatched(aws: Aws, stage: str) -> None:
    deployed = deploy(aws, small_candidate(seed=1), Wish(stage, INSTANCES), yes=True)
    fail_until_the_alarm_sounds(aws, deployed.name)
    with pytest.raises(AwsError, match="--unwatched"):
        update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    moved = update(aws, small_candidate(seed=2), stage, replace(QUICK, watched=False), yes=True)
    assert serves(aws, moved, small_candidate(seed=2))


def test_an_interrupted_update_is_finished_by_the_same_command(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    before = deploy(aws, small_candidate(seed=1), Wish(stage, INSTANCES), yes=True)
    simulated.mishaps.order("UpdateEndpoint", "slow")
    impatient = Aws(aws.account, aws.journal, aws.console, pause=interrupt)
    with pytest.raises(StoppedWaitingError, match=f"update --stage {stage}"):
        update(impatient, small_candidate(seed=2), stage, QUICK, yes=True)
    update(aws, small_candidate(seed=2), stage, QUICK, yes=True)
    now = endpoints.need(aws.account, before.name, stage)
    assert (now.tags["verdict:previous"], now.release) == (before.configuration, small_candidate(seed=2).release_id)
    assert "verdict:updating-from" not in now.tags


def test_an_interrupted_update_can_be_rolled_back_as_it_is(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    before = deploy(aws, small_candidate(seed=1), Wish(stage, INSTANCES), yes=True)
    simulated.mishaps.order("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError):
        update(Aws(aws.account, aws.journal, aws.console, pause=interrupt), small_candidate(seed=2), stage, QUICK, True)
    endpoints.settle(aws, before.name, "")
    assert way_back(endpoints.need(aws.account, before.name, stage)) == before.configuration


def test_a_stuck_update_is_given_up_after_the_minutes_that_were_said(
    aws: Aws, simulated: SimulatedAws, stage: str
) -> None:
    deploy(aws, small_candidate(seed=1), Wish(stage, INSTANCES), yes=True)
    simulated.mishaps.order("UpdateEndpoint", "stuck")
    with pytest.raises(StoppedWaitingError, match=r"Still verdict-.* is Updating"):
        update(aws, small_candidate(seed=2), stage, replace(QUICK, minutes=0.01), yes=True)


def test_the_winner_is_scaled_as_the_loser_was(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deployed = deploy(aws, one, Wish(stage, INSTANCES, most_instances=3), yes=True)
    split(aws, Split(stage, one.encoder.fingerprint, [two], {"challenger": 1.0}, drop_others=True), yes=True)
    assert autoscaling.of(aws, deployed.name, "challenger") == Scaled("challenger", 1, 3, 600.0)
    assert autoscaling.of(aws, deployed.name, "release") is None


def test_an_interrupted_split_is_finished_by_the_same_command(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    before = deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    wanted = Split(stage, one.encoder.fingerprint, [one, two], {"release": 3.0, "challenger": 1.0})
    simulated.mishaps.order("UpdateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError, match="split release=3 challenger=1 --stage"):
        split(Aws(aws.account, aws.journal, aws.console, pause=interrupt), wanted, yes=True)
    found = split(aws, wanted, yes=True)
    assert {variant.name: variant.weight for variant in found.variants} == {"release": 3.0, "challenger": 1.0}
    now = endpoints.need(aws.account, found.name, stage)
    assert now.release == before.release
    assert "verdict:updating-from" not in now.tags


def test_the_way_back_leads_past_a_split_until_another_release_wins(aws: Aws, stage: str) -> None:
    one, two, three = small_candidate(seed=1), small_candidate(seed=2), small_candidate("challenger", seed=3)
    first = deploy(aws, one, Wish(stage, INSTANCES), yes=True)
    fingerprint = one.encoder.fingerprint
    update(aws, two, stage, QUICK, yes=True)
    split(aws, Split(stage, fingerprint, [two, three], {"release": 1.0, "challenger": 1.0}), yes=True)
    ended = split(aws, Split(stage, fingerprint, [two], {"release": 1.0}, drop_others=True), yes=True)
    now = endpoints.need(aws.account, ended.name, stage)
    assert (now.release, now.tags["verdict:previous"]) == (two.release_id, first.configuration)
    split(aws, Split(stage, fingerprint, [two, three], {"release": 1.0, "challenger": 1.0}), yes=True)
    won = split(aws, Split(stage, fingerprint, [three], {"challenger": 1.0}, drop_others=True), yes=True)
    assert endpoints.need(aws.account, won.name, stage).release == three.release_id


def test_a_split_keeps_the_instances_that_there_are(aws: Aws, stage: str) -> None:
    one, two = small_candidate(seed=1), small_candidate("challenger", seed=2)
    deploy(aws, one, Wish(stage, Hosting("ml.m5.large", 2)), yes=True)
    wanted = Split(stage, one.encoder.fingerprint, [one, two], {"release": 1.0, "challenger": 1.0})
    with pytest.raises(AwsError, match="endpoint usage"):  # six machines, while four are allowed
        split(aws, wanted, yes=True)
    now = endpoints.need(aws.account, f"verdict-{stage}-{one.encoder.fingerprint}", stage)
    assert [(variant.name, variant.instances) for variant in now.variants] == [("release", 2)]
