"""Step `split`: traffic among variants of one endpoint, by weight: an A/B test of models that read the same rows.

Weights of variants that are there are changed live (UpdateEndpointWeightsAndCapacities). New variants are made ready
beside the old fleet first (UpdateEndpoint), so no request fails; each must pass its canary before the command ends.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import canary, endpoint_config, endpoint_state, models
from operations.endpoint.candidate import PACKAGED_NAME, Candidate
from operations.endpoint.endpoint_config import VariantSpec
from operations.endpoint.endpoint_state import LONGEST_MINUTES, DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, arrived, shift
from operations.rollout.update import undo

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # of a variant, as the service takes it


def parse_weights(stated: Sequence[str]) -> dict[str, float]:
    """`("release=90", "linear=10")` -> `{"release": 90.0, "linear": 10.0}`."""
    weights: dict[str, float] = {}
    for text in stated:
        name, equals, number = text.partition("=")
        if not equals or not number.replace(".", "", 1).isdecimal() or name in weights:
            raise click.BadParameter(f"{text!r}: write each variant once, as name=weight, like release=90 linear=10.")
        if not _NAME.fullmatch(name):
            raise click.BadParameter(f"{name!r} cannot name a variant, which takes letters, digits and inner hyphens.")
        weights[name] = float(number)
    if not any(weights.values()):
        raise click.BadParameter("At least one weight must be above 0.")
    return weights


@dataclass(frozen=True)
class SplitSpec:
    """What is wanted of a stage's endpoint: candidates, the weight of each by its name, and whether others stay."""

    stage: str
    fingerprint: str  # of the vocabulary whose endpoint it is
    candidates: Sequence[Candidate]
    weights: Mapping[str, float]
    drop_others: bool = False

    @property
    def resume(self) -> str:
        """The command that goes on from wherever this one stopped."""
        stated = " ".join(f"{name}={weight:g}" for name, weight in self.weights.items())
        return f"verdict split {stated} --stage {self.stage}{' --drop-others' if self.drop_others else ''}"


def split(aws: Aws, wanted: SplitSpec, yes: bool = False) -> DeployedEndpoint:
    """Give variants their weights, those not named 0 or, with `drop_others`, no place; raises `AwsError`.

    New variants come with weight 0, and get theirs once they have passed their canary.
    """
    name = names.endpoint(wanted.stage, wanted.fingerprint)
    found = endpoint_state.wait_until_in_service(aws, name, wanted.stage, wanted.resume)
    _check_rows(wanted, found)
    isolated = not found.hosting.is_serverless
    named = {one.name: models.name_of(aws.account, wanted.stage, one, isolated) for one in wanted.candidates}
    there = {variant.name: variant.model for variant in found.variants}
    before = found.tags.get(names.UPDATING_TAG) or found.configuration
    if any(there.get(variant) != model for variant, model in named.items()):
        found = _bring_in(aws, wanted, found, named, yes)
    for one in wanted.candidates:
        canary.check(aws.account, name, canary.known(one), "" if found.hosting.is_serverless else one.name)
    found = _reweigh(aws, found, wanted)
    if wanted.drop_others and len(found.variants) > len(named):
        shares = [_share(found, variant, model, wanted.weights[variant]) for variant, model in named.items()]
        found = _rebuild(aws, wanted, found, shares)
    return _settle_tags(aws, wanted, found, before)


def _settle_tags(aws: Aws, wanted: SplitSpec, found: DeployedEndpoint, before: str) -> DeployedEndpoint:
    """Write down what the endpoint stands for now; the way back stays what it was while that is the same release."""
    release_id = _release_of(wanted, found)
    if release_id != found.tags.get(names.RELEASE_TAG):
        endpoint_state.set_tags(aws.account, found, release=release_id, previous=before)
    if names.UPDATING_TAG in found.tags:
        endpoint_state.set_tags(aws.account, found, updating_from="")
    return found


def _check_rows(wanted: SplitSpec, found: DeployedEndpoint) -> None:
    """Raise `AwsError` for a model that reads other rows than the app writes to this endpoint."""
    for one in wanted.candidates:
        if one.encoder.fingerprint != wanted.fingerprint:
            raise AwsError(
                f"{one.name} was trained on the vocabulary {one.encoder.fingerprint}, the endpoint {found.name} is for "
                f"{wanted.fingerprint}: it would misread every row. Train it on the channels of the packaged release.",
                "vocabulary",
            )


def _share(found: DeployedEndpoint, name: str, model: str, weight: float) -> VariantSpec:
    """Describe a variant to be; one that is there keeps its instances, a new one gets as many as the largest has."""
    there = {variant.name: variant.instances for variant in found.variants}
    return VariantSpec(name, model, weight, count=max(there.get(name) or max(there.values(), default=1), 1))


def _bring_in(
    aws: Aws, wanted: SplitSpec, found: DeployedEndpoint, named: Mapping[str, str], yes: bool
) -> DeployedEndpoint:
    """Add the variants that are not there yet, with weight 0; one that fails its canary goes again."""
    old = {variant.name: variant for variant in found.variants}
    kept = [_share(found, name, variant.model, variant.desired_weight) for name, variant in old.items()]
    arriving = {name: model for name, model in named.items() if name not in old or old[name].model != model}
    shares = [share for share in kept if share.name not in arriving]
    shares += [_share(found, name, model, 0.0) for name, model in arriving.items()]
    if not any(share.weight for share in shares):
        raise AwsError(
            f"{', '.join(arriving)} of {found.name} is another model now, and has all traffic: bring it in by an "
            f"update, or under another name. verdict update --stage {wanted.stage}",
            "refused",
        )
    _propose(aws, found, shares, wanted, yes)
    made = [model for model in arriving.values() if not models.exists(aws.account, model)]
    for one in wanted.candidates:
        models.ensure(aws, wanted.stage, one, isolated=not found.hosting.is_serverless)
    endpoint_state.set_tags(aws.account, found, updating_from=found.tags.get(names.UPDATING_TAG) or found.configuration)
    moved = _rebuild(aws, wanted, found, shares, made)
    try:
        for one in wanted.candidates:
            canary.check(aws.account, found.name, canary.known(one), one.name)
    except canary.CanaryError:
        aws.say("The canary failed: the new variants are taken away again ...")
        back = shift(aws, wanted.stage, moved, found.configuration, AT_ONCE, wanted.resume)
        undo(aws, back, ([moved.configuration], made))
        raise
    return moved


def _propose(aws: Aws, found: DeployedEndpoint, shares: Sequence[VariantSpec], wanted: SplitSpec, yes: bool) -> None:
    """Tell what the endpoint will have."""
    region, kind = aws.account.region, found.hosting.instance_type
    items = [
        Item("variant", f"{share.name}, {share.count} x {kind or 'serverless'}", found.hosting.price(region))
        for share in shares
    ]
    propose(aws.console, f"{found.name}, stage {wanted.stage}, will have", items, yes)


def _rebuild(
    aws: Aws, wanted: SplitSpec, found: DeployedEndpoint, shares: Sequence[VariantSpec], made_models: Sequence[str] = ()
) -> DeployedEndpoint:
    """Bring the endpoint to a configuration with these variants; what was made for it goes where that fails."""
    asked = endpoint_config.request(wanted.stage, found.name, _release_of(wanted, found), found.hosting, shares)
    name = str(asked["EndpointConfigName"])
    made = ([] if endpoint_config.describe(aws.account, name) else [name], list(made_models))
    endpoint_config.ensure(aws, wanted.stage, asked)
    try:
        return shift(aws, wanted.stage, found, name, AT_ONCE, wanted.resume)
    except AwsError:
        undo(aws, found, made)
        raise


def _reweigh(aws: Aws, found: DeployedEndpoint, wanted: SplitSpec) -> DeployedEndpoint:
    """Give the variants that are there their weights."""
    weights = {variant.name: wanted.weights.get(variant.name, 0.0) for variant in found.variants}
    if all(variant.weight == weights[variant.name] for variant in found.variants):
        return found
    desired = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    aws.account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=found.name, DesiredWeightsAndCapacities=desired
    )
    aws.journal.write("updated", "endpoint", found.name, weights=weights)
    return arrived(aws, found.name, found.configuration, LONGEST_MINUTES, wanted.resume, found.created)


def _release_of(wanted: SplitSpec, found: DeployedEndpoint) -> str:
    """Return the release that the endpoint stands for: the packaged one where it takes part, else the heaviest."""
    released = {one.name: one.release_id for one in wanted.candidates}
    there = {variant.name: names.release_of_model(variant.model) for variant in found.variants}
    if PACKAGED_NAME in released or (PACKAGED_NAME in there and not wanted.drop_others):
        return released.get(PACKAGED_NAME) or there[PACKAGED_NAME]
    return released[max(wanted.weights, key=lambda name: wanted.weights[name])]
