"""Step `rollback`: back to the release before, whichever way the last one came.

After an update with the same vocabulary the endpoint goes back to its previous configuration, in one step and without
a failed request. After a release with another vocabulary its predecessor's endpoint is brought into service again where
it was retired. Either way the release's own files are fetched from the bucket into `chalicelib/release/` and `model/`,
so that the next `chalice deploy` ships the app that belongs to it.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib import release
from chalicelib.assets import REPORT_NAME
from chalicelib.release import FACTS_NAME, NGRAM_TABLE_NAME, PACKAGED, VOCABULARY_NAME
from operations.aws import bucket, names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import canary, endpoint_config, endpoint_state
from operations.endpoint.candidate import MODEL_FOLDER, packaged_candidate
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, shift
from operations.rollout.deploy import DeploymentSpec, deploy
from training import atomic
from training.features.channels import read_encoder
from training.model.canary import CANARY_NAME, Canary, computed
from training.model.run_folder import MODEL_NAME

_SHIPPED = (VOCABULARY_NAME, NGRAM_TABLE_NAME, REPORT_NAME, FACTS_NAME)


@dataclass(frozen=True)
class PackageFolders:
    """Where the packaged release is: what the app ships of it, and its model."""

    release_folder: Path = PACKAGED
    model_folder: Path = MODEL_FOLDER


def rollback(aws: Aws, stage: str, package: PackageFolders, yes: bool = False) -> DeployedEndpoint:
    """Go back to the release before; raises `AwsError` when there is none to go back to."""
    current = packaged_candidate(package.release_folder, package.model_folder)
    name = names.endpoint(stage, current.encoder.fingerprint)
    found = endpoint_state.wait_until_in_service(aws, name, stage, _resume(aws, stage))
    previous, replaced = way_back(found), found.tags.get(names.REPLACES_TAG, "")
    if previous and endpoint_config.describe(aws.account, previous):
        return _same_vocabulary(aws, stage, found, previous, package, yes)
    if replaced:
        return _other_vocabulary(aws, stage, found, replaced, package, yes)
    raise AwsError(
        f"There is nothing to go back to: {found.name} has served {found.release} since it was made, or what it had "
        "before was deleted. `verdict releases` lists what is stored.",
        "absent",
    )


def _resume(aws: Aws, stage: str) -> str:
    return aws.typed or f"verdict rollback --stage {stage}"


def way_back(found: DeployedEndpoint) -> str:
    """Return the configuration to go back to, "" for none: after a change that was interrupted, what it began from."""
    began_from, previous = found.tags.get(names.UPDATING_TAG, ""), found.tags.get(names.PREVIOUS_TAG, "")
    return began_from if began_from not in ("", found.configuration) and previous != found.configuration else previous


def _same_vocabulary(
    aws: Aws, stage: str, found: DeployedEndpoint, previous: str, package: PackageFolders, yes: bool
) -> DeployedEndpoint:
    """Give the endpoint its previous configuration, with as many instances as it has now, at once and unwatched.

    An alarm that the bad release has set off would turn back the very way out.
    """
    to = release_of(aws, previous)
    before = found.configuration
    if found.configuration == previous:  # an interrupted rollback that has arrived since
        before = found.tags.get(names.UPDATING_TAG, "")
    else:
        item = Item("endpoint", f"{found.name}: release {found.release} -> {to}")
        propose(aws.console, f"To be rolled back in {aws.account.region}, stage {stage}", [item], yes)
        endpoint_state.set_tags(aws.account, found, updating_from=before)
        found = shift(aws, stage, found, previous, replace(AT_ONCE, retains=True), _resume(aws, stage))
    canary.check(aws.account, found.name, _stored_canary(aws, to))
    endpoint_state.set_tags(aws.account, found, release=to, previous=before, updating_from="")
    aws.journal.write("updated", "endpoint", found.name, release=to, configuration=previous)
    restore(aws, to, package)
    return found


def _other_vocabulary(
    aws: Aws, stage: str, found: DeployedEndpoint, replaced: str, package: PackageFolders, yes: bool
) -> DeployedEndpoint:
    """Bring the predecessor's endpoint into service, the predecessor being the packaged release again."""
    items = [
        Item("packaged release", f"{found.release} -> {replaced}, in {package.release_folder}, {package.model_folder}"),
        Item("its endpoint", "where it was retired", found.hosting.price(aws.account.region)),
    ]
    propose(aws.console, f"To be rolled back in {aws.account.region}, stage {stage}", items, yes)
    restore(aws, replaced, package)
    before = packaged_candidate(package.release_folder, package.model_folder)
    return deploy(
        aws, before, DeploymentSpec(stage, found.hosting, expires=found.tags.get(names.EXPIRY_TAG, "")), yes=True
    )


def release_of(aws: Aws, configuration: str) -> str:
    """Return the release that a configuration was made for, by its tag."""
    described = endpoint_config.describe(aws.account, configuration)
    arn = described["EndpointConfigArn"] if described else ""
    found = aws.account.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    return names.tag_value(found, names.RELEASE_TAG)


def _fetch(aws: Aws, release_id: str, folder: Path) -> set[str]:
    """Fetch what is stored of a release into a folder; returns the names of the files."""
    wanted = (*_SHIPPED, MODEL_NAME)
    stored = {key.rpartition("/")[2]: key for key in bucket.keys(aws.account, f"releases/{release_id}/")}
    found = {name: key for name, key in stored.items() if name in wanted}
    for name, key in found.items():
        (folder / name).write_bytes(bucket.get_bytes(aws.account, key))
    return set(found)


def _stored_canary(aws: Aws, release_id: str) -> Canary:
    """Compute the canary of a stored release, or of a run that once took part in a split."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _fetch(aws, release_id, folder)
        return computed((folder / MODEL_NAME).read_bytes(), read_encoder(folder))


def restore(aws: Aws, release_id: str, package: PackageFolders) -> None:
    """Make a stored release the packaged one again; nothing is written until all of it was fetched and checked."""
    if release.load(package.release_folder).release_id == release_id:
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not _fetch(aws, release_id, folder).issuperset((FACTS_NAME, MODEL_NAME)):
            raise AwsError(
                f"Of release {release_id} only the model is stored, so {package.release_folder} stays as it is: fetch "
                "the app's files of that release from your version control.",
                "absent",
            )
        candidate = packaged_candidate(folder, folder)
        for name in _SHIPPED:
            if (folder / name).exists():
                atomic.write_bytes(package.release_folder / name, (folder / name).read_bytes())
        atomic.write_bytes(package.model_folder / MODEL_NAME, candidate.model)
        atomic.write_text(package.model_folder / CANARY_NAME, computed(candidate.model, candidate.encoder).dumps())
    aws.say(f"{package.release_folder} and {package.model_folder} hold release {release_id} again.")
