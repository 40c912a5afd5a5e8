"""`split`: traffic between variants of one endpoint, by weight, for an A/B test of models with the same vocabulary.

Weights of existing variants change live (UpdateEndpointWeightsAndCapacities). New variants start beside the old fleet
(UpdateEndpoint), so no request fails, and get traffic once they have passed their canary.
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
from operations.endpoint.canary import CanaryError
from operations.endpoint.candidate import PACKAGED_NAME, Candidate
from operations.endpoint.endpoint_config import VariantSpec
from operations.endpoint.endpoint_state import LONGEST_MINUTES, DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, shift, wait_for_configuration
from operations.endpoint.transition import UPDATING_TAG, Transition, end_change

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # of a variant, in SageMaker


def parse_weights(stated: Sequence[str]) -> dict[str, float]:
    """`("release=90", "linear=10")` -> `{"release": 90.0, "linear": 10.0}`."""
    weights: dict[str, float] = {}
    for text in stated:
        name, equals, number = text.partition("=")
        if not equals or not number.replace(".", "", 1).isdecimal() or name in weights:
            raise click.BadParameter(f"{text!r}: write each variant once, as name=weight, like release=90 linear=10.")
        if not _NAME.fullmatch(name):
            raise click.BadParameter(f"{name!r} cannot name a variant: use letters, digits and inner hyphens.")
        weights[name] = float(number)
    if not any(weights.values()):
        raise click.BadParameter("At least one weight must be above 0.")
    return weights


@dataclass(frozen=True)
class SplitSpec:
    """The candidates of a stage's endpoint, the weight of each by name, and whether other variants are removed."""

    stage: str
    fingerprint: str  # of the vocabulary
    candidates: Sequence[Candidate]
    weights: Mapping[str, float]
    drop_others: bool = False

    @property
    def resume(self) -> str:
        """The command that resumes this one."""
        stated = " ".join(f"{name}={weight:g}" for name, weight in self.weights.items())
        return f"verdict split {stated} --stage {self.stage}{' --drop-others' if self.drop_others else ''}"


def split(aws: Aws, spec: SplitSpec, yes: bool = False) -> DeployedEndpoint:
    """Give variants their weights, and others 0 or, with `drop_others`, remove them; raises `AwsError`."""
    name = names.endpoint(spec.stage, spec.fingerprint)
    found = endpoint_state.wait_until_in_service(aws, name, spec.stage, spec.resume)
    _check_vocabulary(spec, found)
    isolated = not found.hosting.is_serverless
    wanted = {
        candidate.name: models.name_of(aws.account, spec.stage, candidate, isolated) for candidate in spec.candidates
    }
    return _Split(aws, spec, found, wanted).run(yes)


def _check_vocabulary(spec: SplitSpec, found: DeployedEndpoint) -> None:
    """Raise `AwsError` if a candidate has another vocabulary than the endpoint."""
    for candidate in spec.candidates:
        if candidate.encoder.fingerprint != spec.fingerprint:
            raise AwsError(
                f"{candidate.name} was trained on vocabulary {candidate.encoder.fingerprint}, but endpoint "
                f"{found.name} is for {spec.fingerprint}, so it would misread every row. Train it on the channels of "
                "the packaged release.",
                "vocabulary",
            )


class _Split:
    """One split of an endpoint's traffic; `wanted` are the models of the variants, by name."""

    def __init__(self, aws: Aws, spec: SplitSpec, found: DeployedEndpoint, wanted: Mapping[str, str]) -> None:
        self.aws, self.spec, self.found, self.wanted = aws, spec, found, wanted
        self.transition = Transition(aws, found, found.tags.get(UPDATING_TAG, ""))

    def run(self, yes: bool) -> DeployedEndpoint:
        """Add missing variants, verify all, set the weights, and remove other variants if requested."""
        existing = {variant.name: variant.model for variant in self.found.variants}
        found = self.found
        if any(existing.get(name) != model for name, model in self.wanted.items()):
            found = self._add_variants(yes)
        self._verify(found)
        found = self._set_weights(found)
        if self.spec.drop_others and len(found.variants) > len(self.wanted):
            kept = [self._variant(name, model, self.spec.weights[name]) for name, model in self.wanted.items()]
            found = self._move(Transition(self.aws, found), found, kept)
        return self._commit(found)

    def _variant(self, name: str, model: str, weight: float) -> VariantSpec:
        """Return a variant with the instances that it has, or if it is new, as many as the largest has."""
        counts = {variant.name: variant.count for variant in self.found.variants}
        return VariantSpec(name, model, weight, count=max(counts.get(name) or max(counts.values(), default=1), 1))

    def _add_variants(self, yes: bool) -> DeployedEndpoint:
        """Add the missing variants with weight 0; if one fails its canary, all of them are removed."""
        variants = self._with_missing()
        self._propose(variants, yes)
        endpoint_state.check_unchanged(self.aws.account, self.found)
        try:
            for candidate in self.spec.candidates:
                self.transition.ensure_model(candidate)
            self.transition.begin()
            moved = self._move(self.transition, self.found, variants)
            self._verify(moved)
        except CanaryError:
            self.aws.print("The canary check failed. Removing the new variants ...")
            shift(self.aws, moved, self.found.configuration, AT_ONCE, self.spec.resume)
            self.transition.undo()
            raise
        return moved

    def _with_missing(self) -> list[VariantSpec]:
        """Return the existing variants, with the missing ones at weight 0; raises `AwsError` if none has traffic."""
        existing = {variant.name: variant for variant in self.found.variants}
        missing = [name for name, model in self.wanted.items() if name not in existing or existing[name].model != model]
        variants = [
            self._variant(variant.name, variant.model, variant.desired_weight)
            for variant in self.found.variants
            if variant.name not in missing
        ]
        if not any(variant.weight for variant in variants):
            raise AwsError(
                f"{', '.join(missing)} of {self.found.name} serves another model, and has all traffic. Update it, or "
                f"add the new model under another name: verdict update --stage {self.spec.stage}",
                "refused",
            )
        return [*variants, *(self._variant(name, self.wanted[name], 0.0) for name in missing)]

    def _propose(self, variants: Sequence[VariantSpec], yes: bool) -> None:
        """Show the new variants, warn about those with one model, and ask for confirmation."""
        for model in dict.fromkeys(variant.model for variant in variants):
            same = [variant.name for variant in variants if variant.model == model]
            if len(same) > 1:
                self.aws.print(
                    f"Warning: {' and '.join(same)} serve the same model, so a comparison shows nothing, and each is "
                    "billed."
                )
        hosting = self.found.hosting
        machines = hosting.instance_type or "serverless"
        items = [
            Item("variant", f"{variant.name}, {variant.count} x {machines}", hosting.price(self.aws.account.prices))
            for variant in variants
        ]
        propose(self.aws.console, f"{self.found.name}, stage {self.spec.stage}, will have", items, yes)

    def _move(
        self, transition: Transition, found: DeployedEndpoint, variants: Sequence[VariantSpec]
    ) -> DeployedEndpoint:
        """Move the endpoint to a configuration with these variants; undo the transition if that fails."""
        request = endpoint_config.request(self.spec.stage, found.name, self._release(found), found.hosting, variants)
        try:
            return shift(self.aws, found, transition.ensure_config(request), AT_ONCE, self.spec.resume)
        except AwsError:
            transition.undo()
            raise

    def _verify(self, found: DeployedEndpoint) -> None:
        """Verify the canary of every candidate's variant."""
        for candidate in self.spec.candidates:
            variant = "" if found.hosting.is_serverless else candidate.name
            canary.verify(self.aws.account, found.name, canary.expected(candidate), variant)

    def _set_weights(self, found: DeployedEndpoint) -> DeployedEndpoint:
        """Set the weights of all variants."""
        weights = {variant.name: self.spec.weights.get(variant.name, 0.0) for variant in found.variants}
        if all(variant.weight == weights[variant.name] for variant in found.variants):
            return found
        desired = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
        self.aws.account.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=found.name, DesiredWeightsAndCapacities=desired
        )
        return wait_for_configuration(
            self.aws, found.name, found.configuration, LONGEST_MINUTES, self.spec.resume, found.created
        )

    def _release(self, found: DeployedEndpoint) -> str:
        """Return the release that the endpoint represents: the packaged one if it takes part, else the heaviest."""
        wanted = {candidate.name: candidate.release_id for candidate in self.spec.candidates}
        existing = {variant.name: names.release_of_model(variant.model) for variant in found.variants}
        if PACKAGED_NAME in wanted or (PACKAGED_NAME in existing and not self.spec.drop_others):
            return wanted.get(PACKAGED_NAME) or existing[PACKAGED_NAME]
        return wanted[max(self.spec.weights, key=lambda name: self.spec.weights[name])]

    def _commit(self, found: DeployedEndpoint) -> DeployedEndpoint:
        """Record the release that the endpoint represents; while it stays the same, a rollback goes where it did."""
        release_id = self._release(found)
        if release_id != found.tags.get(names.RELEASE_TAG):
            self.transition.commit(release_id)
        elif UPDATING_TAG in found.tags:
            end_change(self.aws.account, found)
        return found
