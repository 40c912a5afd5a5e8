"""`rollback`: back to the previous release, after an update or a deployment with another vocabulary.

After an update, the endpoint moves back to its previous configuration, all at once and without failed requests. After a
deployment with another vocabulary, the previous release's endpoint is deployed again if it was retired. In both cases
the release's files are restored from the bucket into `chalicelib/release/` and `model/`, so that the next
`chalice deploy` ships the app that belongs to it.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib import release
from chalicelib.release import FACTS_NAME, NGRAM_TABLE_NAME, PACKAGED, REPORT_NAME, VOCABULARY_NAME
from operations.aws import bucket, names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.listing import tags_of
from operations.aws.plan import Item, propose
from operations.endpoint import canary, endpoint_config, endpoint_state
from operations.endpoint.candidate import packaged_candidate
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, shift
from operations.endpoint.transition import REPLACES_TAG, UPDATING_TAG, Transition, rollback_configuration
from operations.rollout.deploy import DeploymentSpec, deploy
from training import atomic, locks
from training.evaluation.packaged_model import FIGURES_NAME, MODEL_FOLDER
from training.features.channels import read_encoder
from training.model.canary import CANARY_NAME, Canary, score_canary
from training.model.run_folder import MODEL_NAME

_SHIPPED = (VOCABULARY_NAME, NGRAM_TABLE_NAME, REPORT_NAME, FACTS_NAME)


@dataclass(frozen=True)
class PackageFolders:
    """The folders of the packaged release: the files that the app ships, and the model."""

    release_folder: Path = PACKAGED
    model_folder: Path = MODEL_FOLDER


def rollback(aws: Aws, stage: str, package: PackageFolders, yes: bool = False) -> DeployedEndpoint:
    """Roll a stage back to its previous release; raises `AwsError` if there is none.

    Before the endpoint is changed, raises `OSError` if the folders of the packaged release cannot be written, and
    `InUseError` if another command is writing a release there.
    """
    for folder in (package.release_folder, package.model_folder):
        atomic.check_writable(folder)
    with locks.writing(package.release_folder):  # as `verdict release` does
        return _rollback(aws, stage, package, yes)


def _rollback(aws: Aws, stage: str, package: PackageFolders, yes: bool) -> DeployedEndpoint:
    """Roll back, while the folders of the packaged release are locked."""
    current = packaged_candidate(package.release_folder, package.model_folder)
    name, resume = (
        names.endpoint(stage, current.encoder.fingerprint),
        aws.command_line or f"verdict rollback --stage {stage}",
    )
    found = endpoint_state.wait_until_in_service(aws, name, stage, resume)
    previous, replaced = rollback_configuration(found), found.tags.get(REPLACES_TAG, "")
    if previous and endpoint_config.describe(aws.account, previous):
        return _to_configuration(aws, found, previous, package, yes)
    if replaced:
        return _to_other_vocabulary(aws, found, replaced, package, yes)
    raise AwsError(
        f"There is no release to roll back to: {found.name} has served {found.release} since it was created, or its "
        "previous configuration was deleted. `verdict releases` lists the stored releases.",
        "absent",
    )


def _to_configuration(
    aws: Aws, found: DeployedEndpoint, previous: str, package: PackageFolders, yes: bool
) -> DeployedEndpoint:
    """Move the endpoint to its previous configuration, all at once, with its current number of instances.

    The update is unguarded, because an alarm that the current release has set off would roll the rollback back.
    """
    release_id = _release_of(aws, previous)
    if found.configuration == previous:  # an interrupted rollback that has arrived
        transition = Transition(aws, found, found.tags.get(UPDATING_TAG, ""))
    else:
        item = Item("endpoint", f"{found.name}: release {found.release} -> {release_id}")
        propose(aws.console, f"To be rolled back in {aws.account.region}, stage {found.stage}", [item], yes)
        transition = Transition(aws, found)
        transition.begin()
        resume = aws.command_line or f"verdict rollback --stage {found.stage}"
        found = shift(aws, found, previous, replace(AT_ONCE, retains=True), resume)
    canary.verify(aws.account, found.name, _stored_canary(aws, release_id))
    transition.commit(release_id)
    restore(aws, release_id, package)
    return found


def _to_other_vocabulary(
    aws: Aws, found: DeployedEndpoint, replaced: str, package: PackageFolders, yes: bool
) -> DeployedEndpoint:
    """Restore the previous release, which has another vocabulary, and deploy its endpoint if it was retired."""
    folders = f"{package.release_folder}, {package.model_folder}"
    items = [
        Item("packaged release", f"{found.release} -> {replaced}, in {folders}"),
        Item("its endpoint", "if it was retired", found.hosting.price(aws.account.prices)),
    ]
    propose(aws.console, f"To be rolled back in {aws.account.region}, stage {found.stage}", items, yes)
    restore(aws, replaced, package)
    previous = packaged_candidate(package.release_folder, package.model_folder)
    expires = found.tags.get(names.EXPIRY_TAG, "")
    return deploy(aws, previous, DeploymentSpec(found.stage, found.hosting, expires=expires), yes=True)


def _release_of(aws: Aws, configuration: str) -> str:
    """Return the release in a configuration's tags."""
    described = endpoint_config.describe(aws.account, configuration)
    tags = tags_of(aws.account, described["EndpointConfigArn"]) if described else None
    return (tags or {}).get(names.RELEASE_TAG, "")


def _fetch(aws: Aws, release_id: str, folder: Path) -> set[str]:
    """Download the stored files of a release into a folder, and return their names."""
    stored = {key.rpartition("/")[2]: key for key in bucket.keys(aws.account, f"releases/{release_id}/")}
    found = {name: key for name, key in stored.items() if name in (*_SHIPPED, MODEL_NAME, FIGURES_NAME)}
    for name, key in found.items():
        (folder / name).write_bytes(bucket.get_bytes(aws.account, key))
    return set(found)


def _stored_canary(aws: Aws, release_id: str) -> Canary:
    """Compute the canary of a stored release, or of a run that took part in a split."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _fetch(aws, release_id, folder)
        return score_canary((folder / MODEL_NAME).read_bytes(), read_encoder(folder))


def restore(aws: Aws, release_id: str, package: PackageFolders) -> None:
    """Make a stored release the packaged one; nothing is written until all its files are downloaded and verified.

    Raises `InUseError` if another command is writing a release there.
    """
    if release.load(package.release_folder).release_id == release_id:
        return
    with locks.writing(package.release_folder), tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not _fetch(aws, release_id, folder).issuperset((FACTS_NAME, MODEL_NAME)):
            raise AwsError(
                f"Only the model of release {release_id} is stored, so {package.release_folder} was not changed. "
                "Restore the app's files of that release from your version control.",
                "absent",
            )
        candidate = packaged_candidate(folder, folder)
        for name in _SHIPPED:
            if (folder / name).exists():
                atomic.write_bytes(package.release_folder / name, (folder / name).read_bytes())
        atomic.write_bytes(package.model_folder / MODEL_NAME, candidate.model)
        atomic.write_text(package.model_folder / CANARY_NAME, score_canary(candidate.model, candidate.encoder).dumps())
        _restore_figures(folder, package.model_folder)
    aws.print(f"Restored release {release_id} in {package.release_folder} and {package.model_folder}.")


def _restore_figures(stored: Path, model_folder: Path) -> None:
    """Restore the figures of a release, or delete those of another one if they were not stored with it."""
    if (stored / FIGURES_NAME).exists():
        atomic.write_bytes(model_folder / FIGURES_NAME, (stored / FIGURES_NAME).read_bytes())
    else:
        (model_folder / FIGURES_NAME).unlink(missing_ok=True)
