"""`update`: the packaged release replaces the deployed one, without failed requests.

With the same vocabulary, the endpoint gets another model (UpdateEndpoint). With another vocabulary, a new endpoint is
created beside the old one. `chalice deploy` then switches app and model together, because the app's release determines
the endpoint's name, and `retire` deletes the old endpoint when it is idle.
"""

from dataclasses import dataclass, replace
from typing import Any

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import autoscaling, canary, endpoint_config, endpoint_state, models
from operations.endpoint.canary import CanaryError
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import VariantSpec
from operations.endpoint.endpoint_state import LONGEST_MINUTES, DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, RolloutStrategy, shift
from operations.endpoint.transition import UPDATING_TAG, Transition, is_interrupted
from operations.rollout.deploy import DeploymentSpec, deploy


def update(
    aws: Aws, candidate: Candidate, stage: str, strategy: RolloutStrategy, yes: bool = False
) -> DeployedEndpoint:
    """Update a stage to a candidate; raises `AwsError` or `CanaryError`, with the old release in service."""
    name = names.endpoint(stage, candidate.encoder.fingerprint)
    found = endpoint_state.find(aws.account, name)
    if not found or (not found.is_running and found.status == endpoint_state.FAILED):
        return _deploy_beside(aws, candidate, stage, name, strategy, yes)
    resume = aws.command_line or f"verdict update --stage {stage}"
    found = endpoint_state.wait_until_in_service(aws, name, stage, resume, strategy.minutes or LONGEST_MINUTES)
    _check_one_variant(found)
    change = _Update(aws, candidate, found, strategy, resume)
    model = models.name_of(aws.account, stage, candidate, isolated=not found.hosting.is_serverless)
    return change.finish() if found.variants[0].model == model else change.run(yes)


def _check_one_variant(found: DeployedEndpoint) -> None:
    """Raise `AwsError` while traffic is split, because an update would end the comparison."""
    if len(found.variants) > 1:
        variants = ", ".join(variant.name for variant in found.variants)
        raise AwsError(
            f"Traffic of {found.name} is split between {variants}. Choose the winner first: "
            f"verdict split {found.variants[0].name}=1 --stage {found.stage} --drop-others",
            "split",
        )


@dataclass(frozen=True)
class _Update:
    """One update of an endpoint with a single variant to a candidate with the same vocabulary."""

    aws: Aws
    candidate: Candidate
    found: DeployedEndpoint
    strategy: RolloutStrategy
    resume: str

    def run(self, yes: bool) -> DeployedEndpoint:
        """Replace the model; if the update or its canary fails, the old one serves again."""
        self._propose(yes)
        endpoint_state.check_unchanged(self.aws.account, self.found)
        transition = Transition(self.aws, self.found)
        try:
            model = transition.ensure_model(self.candidate)
            configuration = transition.ensure_config(self._config(model))
            transition.begin()
            moved = shift(self.aws, self.found, configuration, self.strategy, self.resume)
            self._verify(moved, transition.before)
        except (AwsError, CanaryError):
            transition.undo()
            raise
        transition.commit(self.candidate.release_id)
        return moved

    def finish(self) -> DeployedEndpoint:
        """Verify an endpoint that already has the candidate's model, and commit an interrupted update."""
        if is_interrupted(self.found.tags, self.found.configuration):
            transition = Transition(self.aws, self.found, self.found.tags[UPDATING_TAG])
            self._verify(self.found, transition.before)
            transition.commit(self.candidate.release_id)
            return self.found
        canary.verify(self.aws.account, self.found.name, canary.expected(self.candidate))
        self.aws.print(
            f"Endpoint {self.found.name} already serves release {self.candidate.release_id}, with correct scores."
        )
        return self.found

    def _propose(self, yes: bool) -> None:
        """Show what will change, and ask for confirmation."""
        found, account = self.found, self.aws.account
        in_steps = found.variants[0].count > 1 and not found.hosting.is_serverless
        how = f"{self.strategy.kind}, with a second fleet meanwhile" if in_steps else "all at once"
        change = f"{found.name}: release {found.release} -> {self.candidate.release_id}, {how}"
        item = Item("endpoint", change, found.hosting.price(account.prices))
        propose(self.aws.console, f"To be updated in {account.region}, stage {found.stage}", [item], yes)

    def _config(self, model: str) -> dict[str, Any]:
        """Return the new configuration; the variant keeps its name, because SageMaker guards no other update."""
        current = self.found.variants[0]
        variant = VariantSpec(current.name, model, count=max(current.count, 1))
        return endpoint_config.request(
            self.found.stage, self.found.name, self.candidate.release_id, self.found.hosting, [variant]
        )

    def _verify(self, moved: DeployedEndpoint, before: str) -> None:
        """Verify the canary; if it fails, move back to the configuration before, and raise `CanaryError`."""
        try:
            canary.verify(self.aws.account, moved.name, canary.expected(self.candidate))
        except CanaryError:
            self.aws.print("The canary check failed. Moving back to the previous release ...")
            shift(self.aws, moved, before, replace(AT_ONCE, minutes=self.strategy.minutes), self.resume)
            raise


def _deploy_beside(
    aws: Aws, candidate: Candidate, stage: str, name: str, strategy: RolloutStrategy, yes: bool
) -> DeployedEndpoint:
    """Deploy a release with another vocabulary beside the existing endpoints of a stage."""
    others = [found for found in endpoint_state.find_all(aws.account, stage) if found.name != name and found.is_running]
    if not others:
        raise AwsError(f"Nothing is deployed in stage {stage} yet: verdict deploy --stage {stage}", "absent")
    newest = others[0]
    aws.print(f"The packaged release has another vocabulary than {newest.release}, so it gets a new endpoint.")
    scaled = autoscaling.find(aws, newest.name, newest.variants[0].name)
    spec = DeploymentSpec(
        stage,
        newest.hosting,
        scaled.max_instances if scaled else 0,
        minutes=strategy.minutes or LONGEST_MINUTES,
        replaces=newest.release,
    )
    if expiry := newest.tags.get(names.EXPIRY_TAG):
        aws.print(f"{newest.name} expires at {expiry}; the new endpoint does not expire.")
    ready = deploy(aws, candidate, spec, yes)
    aws.print(
        f"Both endpoints are in service. Switch the app: chalice deploy --stage {stage}. When {newest.name} is idle, "
        f"delete it: verdict retire --stage {stage}"
    )
    return ready
