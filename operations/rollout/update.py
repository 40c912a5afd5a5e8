"""Step `update`: the packaged release takes over from the one that is deployed, with no request failed.

With the same vocabulary it is another model behind the same endpoint (UpdateEndpoint). With another vocabulary it is a
new endpoint beside the old one; `chalice deploy` then switches app and model together, since the endpoint's name is in
the app's own release, and `retire` takes the old one away once nobody asks it.
"""

from dataclasses import replace

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import autoscaling, canary, endpoint_config, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import VariantSpec
from operations.endpoint.endpoint_state import IN_SERVICE, LONGEST_MINUTES, DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, RolloutStrategy, shift
from operations.rollout.deploy import DeploymentSpec, deploy


def update(aws: Aws, candidate: Candidate, stage: str, manner: RolloutStrategy, yes: bool = False) -> DeployedEndpoint:
    """Bring a stage to a candidate; raises `AwsError` or `CanaryError`, with the old one in service."""
    name = names.endpoint(stage, candidate.encoder.fingerprint)
    found = endpoint_state.find(aws.account, name)
    if not found or (not found.variants and found.status == endpoint_state.FAILED):
        return _beside(aws, candidate, stage, name, manner, yes)
    resume = aws.typed or f"verdict update --stage {stage}"
    found = endpoint_state.wait_until_in_service(aws, name, stage, resume, manner.minutes or LONGEST_MINUTES)
    _check_one_variant(found, stage)
    model = models.name_of(aws.account, stage, candidate, isolated=not found.hosting.is_serverless)
    if found.variants[0].model == model:
        return _settled(aws, stage, found, candidate, manner, resume)
    item = Item("endpoint", f"{name}: {_how(found, candidate, manner)}", found.hosting.price(aws.account.region))
    propose(aws.console, f"To be updated in {aws.account.region}, stage {stage}", [item], yes)
    return _replace(aws, stage, found, candidate, manner, resume)


def _how(found: DeployedEndpoint, candidate: Candidate, manner: RolloutStrategy) -> str:
    """Say what changes, and how."""
    steps = f"{manner.kind}; twice the machines meanwhile" if found.variants[0].instances > 1 else "all at once"
    return (
        f"release {found.release} -> {candidate.release_id}, {'all at once' if found.hosting.is_serverless else steps}"
    )


def _check_one_variant(found: DeployedEndpoint, stage: str) -> None:
    """Raise `AwsError` while traffic is split: an update would decide the comparison unasked."""
    if len(found.variants) > 1:
        both = ", ".join(variant.name for variant in found.variants)
        raise AwsError(
            f"Traffic of {found.name} is split among {both}. Choose the winner first: "
            f"verdict split {found.variants[0].name}=1 --stage {stage} --drop-others",
            "split",
        )


def _replace(
    aws: Aws, stage: str, found: DeployedEndpoint, candidate: Candidate, manner: RolloutStrategy, resume: str
) -> DeployedEndpoint:
    """Put another model behind the same endpoint; the old one goes back where the canary fails."""
    variant, before = found.variants[0], found.configuration
    model = models.name_of(aws.account, stage, candidate, isolated=not found.hosting.is_serverless)
    share = VariantSpec(
        variant.name, model, count=max(variant.instances, 1)
    )  # the name stays: SageMaker guards no other
    wanted = endpoint_config.request(stage, found.name, candidate.release_id, found.hosting, [share])
    made = _missing(aws, str(wanted["EndpointConfigName"]), model)
    models.ensure(aws, stage, candidate, isolated=not found.hosting.is_serverless)
    configuration = endpoint_config.ensure(aws, stage, wanted)
    endpoint_state.set_tags(aws.account, found, updating_from=before)
    try:
        moved = shift(aws, stage, found, configuration, manner, resume)
        _check(aws, stage, moved, candidate, before, manner, resume)
    except (AwsError, canary.CanaryError):
        undo(aws, found, made)
        raise
    return _settle_tags(aws, moved, candidate, before)


def _missing(aws: Aws, configuration: str, model: str) -> tuple[list[str], list[str]]:
    """Return which of a configuration and a model are still to be made, as lists of names."""
    configurations = [] if endpoint_config.describe(aws.account, configuration) else [configuration]
    return configurations, [] if models.exists(aws.account, model) else [model]


def undo(aws: Aws, found: DeployedEndpoint, made: tuple[list[str], list[str]]) -> None:
    """Delete what a change made that did not hold, unless the endpoint may still be using it."""
    now = endpoint_state.find(aws.account, found.name)
    if now and (now.status != IN_SERVICE or now.configuration in made[0]):
        aws.say(f"Endpoint {found.name} is {now.status}, so nothing was deleted: look at it before the next change.")
        return
    endpoint_state.delete_configs_and_models(aws, *made)
    if now:
        endpoint_state.set_tags(aws.account, now, updating_from="")


def _check(
    aws: Aws,
    stage: str,
    moved: DeployedEndpoint,
    candidate: Candidate,
    before: str,
    manner: RolloutStrategy,
    resume: str,
) -> None:
    """Ask the canary; raises `CanaryError` once the configuration before is back."""
    try:
        canary.check(aws.account, moved.name, canary.known(candidate))
    except canary.CanaryError:
        aws.say(f"The canary failed: going back to {moved.release} ...")
        shift(aws, stage, moved, before, replace(AT_ONCE, minutes=manner.minutes), resume)
        raise


def _settle_tags(aws: Aws, moved: DeployedEndpoint, candidate: Candidate, before: str) -> DeployedEndpoint:
    """Write down on the endpoint what it is now, and what it was."""
    endpoint_state.set_tags(aws.account, moved, release=candidate.release_id, previous=before, updating_from="")
    aws.journal.write("updated", "endpoint", moved.name, release=candidate.release_id, canary="equal")
    return moved


def _settled(
    aws: Aws, stage: str, found: DeployedEndpoint, candidate: Candidate, manner: RolloutStrategy, resume: str
) -> DeployedEndpoint:
    """Finish an update that was interrupted after its order: check it, and set the tags it did not come to."""
    before = found.tags.get(names.UPDATING_TAG, "")
    if before and before != found.configuration:
        _check(aws, stage, found, candidate, before, manner, resume)
        return _settle_tags(aws, found, candidate, before)
    canary.check(aws.account, found.name, canary.known(candidate))
    aws.say(f"Endpoint {found.name} serves release {candidate.release_id} already; the canary agrees.")
    return found


def _beside(
    aws: Aws, candidate: Candidate, stage: str, name: str, manner: RolloutStrategy, yes: bool
) -> DeployedEndpoint:
    """Deploy a release with another vocabulary beside the endpoints that the stage has."""
    others = [one for one in endpoint_state.find_all(aws.account, stage) if one.name != name and one.variants]
    if not others:
        raise AwsError(f"Nothing is deployed in stage {stage} yet: verdict deploy --stage {stage}", "absent")
    newest = others[0]
    aws.say(f"The packaged release has another vocabulary than {newest.release}: it gets an endpoint of its own.")
    scaled = autoscaling.of(aws, newest.name, newest.variants[0].name)
    wish = DeploymentSpec(
        stage, newest.hosting, scaled.most if scaled else 0, minutes=manner.minutes or LONGEST_MINUTES
    )
    if newest.tags.get(names.EXPIRY_TAG):
        aws.say(f"{newest.name} was to be taken down at {newest.tags[names.EXPIRY_TAG]}; the new one has no such time.")
    ready = deploy(aws, candidate, wish, yes, replaces=newest.release)
    aws.say(
        f"Both answer now. Switch the app: chalice deploy --stage {stage}. Then take {newest.name} away once nobody "
        f"asks it: verdict retire --stage {stage}"
    )
    return ready
