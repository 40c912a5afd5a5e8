"""Two commands on one endpoint at the same time: one succeeds, the other stops and deletes nothing of it."""

from functools import partial

import pytest

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import canary, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.created import CreatedResources
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.endpoint_state import CHANGED_KIND, DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, shift
from operations.endpoint.transition import Transition
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.split import SplitSpec, split
from operations.rollout.update import update
from simulator.aws import SimulatedAws
from tests.operations.candidates import AnswerAfter, interrupted, printed, resources_of, serves, small_candidate

SERVERLESS, INSTANCES = HostingSpec(), HostingSpec("ml.m5.large", 1)


def deployed(aws: Aws, stage: str, candidate: Candidate, hosting: HostingSpec = SERVERLESS) -> DeployedEndpoint:
    return deploy(aws, candidate, DeploymentSpec(stage, hosting), yes=True)


def test_a_deploy_keeps_what_another_deployed_during_its_prompt(
    aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = small_candidate()
    monkeypatch.setattr("sys.stdin", AnswerAfter(partial(deployed, aws, stage, candidate)))
    with pytest.raises(AwsError, match="at the same time") as caught:
        deploy(aws, candidate, DeploymentSpec(stage, SERVERLESS))
    assert caught.value.kind == CHANGED_KIND
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert serves(aws, live, candidate)
    assert "Deleting" not in printed(aws)


def test_a_refused_creation_keeps_the_other_commands_resources(aws: Aws, stage: str) -> None:
    candidate = small_candidate()
    live = deployed(aws, stage, candidate)
    before = resources_of(aws, stage)
    created = CreatedResources(aws, live.name)
    created.ensure_model(stage, candidate, isolated=False)
    with pytest.raises(AwsError) as caught:
        created.create_endpoint(live.configuration, [])
    created.delete_all("")
    assert caught.value.kind == CHANGED_KIND
    assert resources_of(aws, stage) == before


def test_created_resources_are_deleted_by_creation_time_not_by_name(aws: Aws, stage: str) -> None:
    candidate = small_candidate()
    created = CreatedResources(aws, "verdict-unused")
    model = created.ensure_model(stage, candidate, isolated=False)
    aws.account.client("sagemaker").delete_model(ModelName=model)
    models.ensure(aws, stage, candidate, isolated=False)
    created.delete_all("")
    assert models.exists(aws.account, model)


def test_an_endpoint_is_deleted_by_creation_time_not_by_name(aws: Aws, stage: str) -> None:
    first = deployed(aws, stage, small_candidate())
    endpoint_state.delete(aws, first.name, first.created, "")
    second = deployed(aws, stage, small_candidate())
    endpoint_state.delete(aws, first.name, first.created, "")
    assert serves(aws, second, small_candidate())


def test_a_deploy_that_waits_for_another_deletes_nothing_if_that_fails(
    aws: Aws, simulated: SimulatedAws, stage: str
) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "stuck", times=1)
    with pytest.raises(Exception, match="deploy --stage"):
        deploy(interrupted(aws), small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)
    before = resources_of(aws, stage)
    with pytest.raises(AwsError, match="was not in service after"):
        deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS, minutes=0.005), yes=True)
    assert resources_of(aws, stage) == before
    assert "was kept, because another command created it" in printed(aws)


def test_an_update_stops_after_another_during_its_prompt(aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (small_candidate(seed=seed) for seed in (1, 2, 3))
    deployed(aws, stage, first)
    monkeypatch.setattr("sys.stdin", AnswerAfter(lambda: update(aws, second, stage, AT_ONCE, yes=True)))
    with pytest.raises(AwsError, match="Another command changed endpoint"):
        update(aws, third, stage, AT_ONCE)
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert serves(aws, live, second)
    assert live.tags["verdict:release"] == second.release_id


def test_a_failed_canary_does_not_undo_another_commands_update(aws: Aws, stage: str) -> None:
    first, second = small_candidate(seed=1), small_candidate(seed=2)
    before = deployed(aws, stage, first)
    update(aws, second, stage, AT_ONCE, yes=True)
    with pytest.raises(AwsError, match="Another command changed endpoint"):
        shift(aws, before, "another-configuration", AT_ONCE, "")
    with pytest.raises(AwsError, match="Another command changed endpoint"):
        Transition(aws, before).begin()
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert serves(aws, live, second)


def test_undoing_a_change_keeps_what_another_command_uses(aws: Aws, stage: str) -> None:
    second = small_candidate(seed=2)
    before = deployed(aws, stage, small_candidate(seed=1))
    late = Transition(aws, before)
    late.ensure_model(second)
    moved = update(aws, second, stage, AT_ONCE, yes=True)
    late.undo()
    assert models.exists(aws.account, moved.variants[0].model)
    assert serves(aws, moved, second)


def test_of_two_splits_at_once_one_adds_its_variant_and_the_other_stops(
    aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, *others = small_candidate(), small_candidate("first", seed=2), small_candidate("second", seed=3)
    deployed(aws, stage, release, INSTANCES)
    first, second = (
        SplitSpec(stage, release.encoder.fingerprint, [release, other], {"release": 1.0, other.name: 1.0})
        for other in others
    )
    monkeypatch.setattr("sys.stdin", AnswerAfter(lambda: split(aws, first, yes=True)))
    with pytest.raises(AwsError, match="Another command changed endpoint"):
        split(aws, second)
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert sorted(variant.name for variant in live.variants) == ["first", "release"]
    assert len([name for name in resources_of(aws, stage) if name.startswith(live.name)]) == 5  # none of the other's


def test_a_split_stops_after_an_update_during_its_prompt(aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    release, other, third = small_candidate(), small_candidate("other", seed=2), small_candidate(seed=3)
    deployed(aws, stage, release, INSTANCES)
    monkeypatch.setattr("sys.stdin", AnswerAfter(lambda: update(aws, third, stage, AT_ONCE, yes=True)))
    spec = SplitSpec(stage, release.encoder.fingerprint, [release, other], {"release": 90.0, "other": 10.0})
    with pytest.raises(AwsError, match="Another command changed endpoint"):
        split(aws, spec)
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert [variant.name for variant in live.variants] == ["release"]
    assert canary.verify(aws.account, live.name, canary.expected(third)) == 0
