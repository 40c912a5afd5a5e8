"""Rollbacks of the endpoint, and of the packaged release with it."""

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chalicelib import release
from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import endpoint_state
from operations.endpoint.candidate import Candidate, packaged_candidate
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE
from operations.endpoint.transition import PREVIOUS_TAG, UPDATING_TAG, set_tags
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.rollback import PackageFolders, restore, rollback
from operations.rollout.update import update
from tests.operations.candidates import AnswerAfter, serves
from training import locks
from training.evaluation.packaged_model import packaged_figures
from training.features.prepare import FeatureRecipe, prepare
from training.locks import InUseError
from training.model.run_folder import RUNS_FOLDER
from training.model.train import train
from training.release import release as package_run

INSTANCES = HostingSpec("ml.m5.large", 1)


def packaged_run(folder: Path, channels: Path, data: Path, hyperparameters: dict[str, str]) -> PackageFolders:
    """Train on channels and package the run in a folder."""
    train(channels, folder / RUNS_FOLDER.name, hyperparameters)
    package = PackageFolders(folder / "release", folder / "model")
    package_run(folder / RUNS_FOLDER.name, data, package.release_folder, package.model_folder)
    return package


@pytest.fixture(scope="module")
def packages(
    small_channels: Path,
    small_data: Path,
    small_slots: int,
    small_hyperparameters: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, PackageFolders]:
    """Two releases of one vocabulary, and one of another."""
    folder = tmp_path_factory.mktemp("packages")
    other_channels = folder / "other-channels"
    prepare(small_data, other_channels, recipe=FeatureRecipe(words=12), slots=small_slots)
    stated = small_hyperparameters
    return {
        "old": packaged_run(folder / "old", small_channels, small_data, stated),
        "new": packaged_run(folder / "new", small_channels, small_data, {**stated, "seed": "2"}),
        "other": packaged_run(folder / "other", other_channels, small_data, stated),
    }


def package_release(into: PackageFolders, package: PackageFolders) -> None:
    """Copy a release to where the packaged one is."""
    shutil.copytree(package.release_folder, into.release_folder, dirs_exist_ok=True)
    shutil.copytree(package.model_folder, into.model_folder, dirs_exist_ok=True)


def release_in(package: PackageFolders) -> str:
    return release.load(package.release_folder).release_id


@pytest.fixture
def project(tmp_path: Path) -> PackageFolders:
    """The folders of this test's packaged release."""
    return PackageFolders(tmp_path / "chalicelib-release", tmp_path / "model")


def candidate_in(project: PackageFolders) -> Candidate:
    return packaged_candidate(project.release_folder, project.model_folder)


@dataclass(frozen=True)
class Updated:
    """An endpoint that was deployed with one release and updated to another, and its state after each."""

    old: Candidate
    new: Candidate
    deployed: DeployedEndpoint
    updated: DeployedEndpoint


def update_to(name: str, aws: Aws, stage: str, project: PackageFolders, packages: dict[str, PackageFolders]) -> Updated:
    """Deploy the old release, and update to another, which then is the packaged one."""
    package_release(project, packages["old"])
    old = candidate_in(project)
    deployed = deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    package_release(project, packages[name])
    new = candidate_in(project)
    return Updated(old, new, deployed, update(aws, new, stage, AT_ONCE, yes=True))


@pytest.fixture
def updated(aws: Aws, stage: str, project: PackageFolders, packages: dict[str, PackageFolders]) -> Updated:
    """An endpoint after an update to a release of the same vocabulary."""
    return update_to("new", aws, stage, project, packages)


def test_a_rollback_restores_the_endpoint_and_the_packaged_release(
    aws: Aws, stage: str, project: PackageFolders, updated: Updated
) -> None:
    old = updated.old
    back = rollback(aws, stage, project, yes=True)
    assert serves(aws, back, old)
    assert release_in(project) == old.release_id == candidate_in(project).release_id
    assert packaged_figures(release.load(project.release_folder), project.model_folder)  # its own, not the other's
    assert endpoint_state.require_in_service(aws.account, back.name, stage).release == old.release_id


def test_a_rollback_can_be_rolled_back(aws: Aws, stage: str, project: PackageFolders, updated: Updated) -> None:
    rollback(aws, stage, project, yes=True)
    assert rollback(aws, stage, project, yes=True).status == "InService"
    assert release_in(project) == updated.new.release_id


def test_a_rollback_keeps_the_number_of_instances(
    aws: Aws, stage: str, project: PackageFolders, updated: Updated
) -> None:
    aws.account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=updated.deployed.name,
        DesiredWeightsAndCapacities=[{"VariantName": "release", "DesiredInstanceCount": 2}],
    )
    back = rollback(aws, stage, project, yes=True)
    assert [variant.count for variant in back.variants] == [2]


def test_an_interrupted_update_can_be_rolled_back_and_repeated(
    aws: Aws, stage: str, project: PackageFolders, updated: Updated
) -> None:
    first, second = updated.deployed, updated.updated
    tags = {PREVIOUS_TAG: "", UPDATING_TAG: first.configuration}  # as after Ctrl-C
    set_tags(aws.account, second, tags)
    rollback(aws, stage, project, yes=True)
    now = endpoint_state.require_in_service(aws.account, first.name, stage)
    assert (now.configuration, now.tags["verdict:previous"]) == (first.configuration, second.configuration)


def test_a_rollback_to_another_vocabulary_deploys_a_retired_endpoint(
    aws: Aws, stage: str, project: PackageFolders, packages: dict[str, PackageFolders]
) -> None:
    updated = update_to("other", aws, stage, project, packages)
    old, first = updated.old, updated.deployed
    endpoint_state.delete(aws, first.name, first.created, "")
    back = rollback(aws, stage, project, yes=True)
    assert back.name == first.name
    assert release_in(project) == old.release_id
    assert serves(aws, back, old)


def test_folders_that_cannot_be_written_stop_a_rollback_before_it_begins(
    aws: Aws, stage: str, project: PackageFolders, packages: dict[str, PackageFolders], tmp_path: Path
) -> None:
    package_release(project, packages["old"])
    (tmp_path / "file").write_text("in place of the folder", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        rollback(aws, stage, replace(project, model_folder=tmp_path / "file" / "model"), yes=True)


def test_a_first_deploy_cannot_be_rolled_back(
    aws: Aws, stage: str, project: PackageFolders, packages: dict[str, PackageFolders]
) -> None:
    package_release(project, packages["old"])
    deploy(aws, candidate_in(project), DeploymentSpec(stage, INSTANCES), yes=True)
    with pytest.raises(AwsError) as caught:
        rollback(aws, stage, project, yes=True)
    assert caught.value.kind == "absent"


def test_a_release_without_stored_files_rolls_back_only_the_endpoint(
    aws: Aws, stage: str, project: PackageFolders, updated: Updated
) -> None:
    facts = f"{bucket.PREFIX}/releases/{updated.old.release_id}/release.json"
    aws.account.client("s3").delete_object(Bucket=bucket.bucket_name(aws.account), Key=facts)
    with pytest.raises(AwsError, match="version control"):
        rollback(aws, stage, project, yes=True)
    assert release_in(project) == updated.new.release_id
    live = endpoint_state.require_in_service(aws.account, updated.deployed.name, stage)
    assert live.release == updated.old.release_id


def test_of_two_rollbacks_at_once_one_moves_the_endpoint(
    aws: Aws, stage: str, project: PackageFolders, packages: dict[str, PackageFolders], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On two machines, whose folders of the packaged release are not locked together."""
    package_release(project, packages["old"])
    old = candidate_in(project)
    deploy(aws, old, DeploymentSpec(stage, INSTANCES), yes=True)
    package_release(project, packages["new"])
    new = candidate_in(project)
    update(aws, new, stage, AT_ONCE, yes=True)
    elsewhere = PackageFolders(project.release_folder.with_name("elsewhere"), project.model_folder.with_name("models"))
    package_release(elsewhere, packages["new"])
    monkeypatch.setattr("sys.stdin", AnswerAfter(lambda: rollback(aws, stage, elsewhere, yes=True)))
    with pytest.raises(AwsError, match="Another command changed endpoint"):
        rollback(aws, stage, project)
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert serves(aws, live, old)
    assert (release_in(elsewhere), release_in(project)) == (old.release_id, new.release_id)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl locks")
def test_a_rollback_waits_for_a_release_that_is_being_written(
    aws: Aws, stage: str, project: PackageFolders, updated: Updated
) -> None:
    descriptor = locks._open_locked(project.release_folder)  # by another command
    for refused in (lambda: rollback(aws, stage, project, yes=True), lambda: restore(aws, "any", project)):
        with pytest.raises(InUseError, match="Another command is reading or writing"):
            refused()
    locks._close(descriptor)
    (live,) = endpoint_state.find_all(aws.account, stage)
    assert live.release == release_in(project) == updated.new.release_id
