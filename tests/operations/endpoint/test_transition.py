"""The tags of an endpoint: what they mean together, and how they change."""

import pytest

from operations.aws.command import Aws
from operations.endpoint import endpoint_state
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.transition import Transition, end_change, is_interrupted, rollback_configuration
from operations.rollout.deploy import DeploymentSpec, deploy
from tests.operations.candidates import resources_of, small_candidate


@pytest.mark.parametrize(("updating_from", "interrupted"), [("", False), ("current", False), ("before", True)])
def test_a_change_is_interrupted_if_the_endpoint_has_moved(updating_from: str, interrupted: bool) -> None:
    tags = {"verdict:updating-from": updating_from} if updating_from else {}
    assert is_interrupted(tags, "current") == interrupted


@pytest.fixture
def endpoint(aws: Aws, stage: str) -> DeployedEndpoint:
    return deploy(aws, small_candidate(), DeploymentSpec(stage, HostingSpec()), yes=True)


def current(aws: Aws, endpoint: DeployedEndpoint) -> DeployedEndpoint:
    return endpoint_state.require_in_service(aws.account, endpoint.name, endpoint.stage)


def test_a_committed_change_records_release_and_rollback(aws: Aws, endpoint: DeployedEndpoint) -> None:
    transition = Transition(aws, endpoint, before="before")
    transition.begin()
    during = current(aws, endpoint)
    assert is_interrupted(during.tags, during.configuration)
    assert rollback_configuration(during) == "before"
    transition.commit("new-release")
    after = current(aws, endpoint)
    assert (after.tags["verdict:release"], after.tags["verdict:previous"]) == ("new-release", "before")
    assert not is_interrupted(after.tags, after.configuration)
    assert rollback_configuration(after) == "before"


def test_an_undone_change_leaves_tags_and_resources_as_they_were(aws: Aws, endpoint: DeployedEndpoint) -> None:
    before = resources_of(aws, endpoint.stage)
    transition = Transition(aws, endpoint)
    transition.ensure_model(small_candidate(seed=2))
    assert resources_of(aws, endpoint.stage) != before
    transition.begin()
    transition.undo()
    assert resources_of(aws, endpoint.stage) == before
    assert current(aws, endpoint).tags == endpoint.tags


def test_an_ended_change_keeps_the_release(aws: Aws, endpoint: DeployedEndpoint) -> None:
    Transition(aws, endpoint).begin()
    end_change(aws.account, endpoint)
    assert current(aws, endpoint).tags == endpoint.tags
