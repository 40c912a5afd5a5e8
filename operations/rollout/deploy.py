"""`deploy`: the packaged release behind an endpoint, verified before it gets traffic.

Model, configuration and endpoint have names derived from their content, so a second `deploy` resumes the first and
creates nothing twice. An endpoint of another size is resized while it serves. If the endpoint or its canary fails,
everything that this command created is deleted; what another command created, at the same time or before, is kept.
Reviews never leave the account: requests are not captured or logged, and on instances the model has no network access
(serverless hosting does not offer that).
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import RESUMABLE_KINDS, AwsError, translate_errors
from operations.aws.plan import MINOR_COST, Item, propose
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import alarms, autoscaling, canary, endpoint_config, endpoint_state, models, transition
from operations.endpoint.autoscaling import AutoscalingLimits
from operations.endpoint.canary import CanaryError
from operations.endpoint.candidate import Candidate
from operations.endpoint.created import CreatedResources, appeared
from operations.endpoint.endpoint_config import HostingSpec, VariantSpec
from operations.endpoint.endpoint_state import CHANGED_KIND, FAILED, IN_SERVICE, LONGEST_MINUTES, DeployedEndpoint
from operations.rollout.resize import resize

_UNDONE = ("not-begun", "failed", "stuck", "absent")  # kinds of errors after which what was created is deleted
REQUESTS_A_MINUTE = 600.0  # per instance, before autoscaling adds another: about a third of its capacity


@dataclass(frozen=True)
class DeploymentSpec:
    """How to deploy a release."""

    stage: str
    hosting: HostingSpec
    max_instances: int = 0  # 0: no autoscaling
    expires: str = ""  # time after which teardown may delete the endpoint, "" for never
    minutes: float = LONGEST_MINUTES  # longest wait
    replaces: str = ""  # the release, with another vocabulary, that this one will replace


def deploy(aws: Aws, candidate: Candidate, spec: DeploymentSpec, yes: bool = False) -> DeployedEndpoint:
    """Deploy a candidate; raises `AwsError` or `CanaryError`, after everything that it created is deleted."""
    return _Deployment(aws, candidate, spec).run(yes)


class _Deployment:
    """One deployment of a candidate: find what exists, propose, create, verify."""

    def __init__(self, aws: Aws, candidate: Candidate, spec: DeploymentSpec) -> None:
        self.aws, self.candidate, self.spec = aws, candidate, spec
        self.isolated = not spec.hosting.is_serverless
        self.name = names.endpoint(spec.stage, candidate.encoder.fingerprint)
        self.model = models.name_of(aws.account, spec.stage, candidate, self.isolated)
        self.resume = aws.command_line or f"verdict deploy --stage {spec.stage}"
        self.created = CreatedResources(aws, self.name)

    def run(self, yes: bool) -> DeployedEndpoint:
        """Bring the candidate into service."""
        found = self._find()
        if found:
            self._check_same(found)
            found = self._resized(found, yes)
        else:
            self._propose(yes)
            if endpoint_state.find(self.aws.account, self.name):
                raise appeared(self.name)
        self.created.ensure_model(self.spec.stage, self.candidate, self.isolated)
        ready = self._bring_up(found)
        self.aws.print("The endpoint's scores of the canary reviews are correct.")
        if found and self.spec.expires:
            transition.set_expiry(self.aws.account, ready, self.spec.expires)
        self._watch_and_scale()
        return ready

    def _find(self) -> DeployedEndpoint | None:
        """Return the existing endpoint; one that failed is deleted first."""
        found = endpoint_state.find(self.aws.account, self.name)
        if found and found.status == "Deleting":
            found = endpoint_state.wait_until_stable(self.aws, self.name, self.resume, self.spec.minutes)
        if found and found.status == FAILED:
            self.aws.print(f"Endpoint {self.name} failed before ({found.failure}). Deleting it and creating it again.")
            endpoint_state.delete(self.aws, self.name, found.created, self.resume)
            return None
        return found

    def _check_same(self, found: DeployedEndpoint) -> None:
        """Raise `AwsError` if the existing endpoint has other hosting or serves another model."""
        hosting = self.spec.hosting
        if found.hosting.is_serverless != hosting.is_serverless:
            raise AwsError(
                f"Endpoint {self.name} is {found.hosting}, and SageMaker cannot convert between serverless and "
                f"instances. Take it down first: verdict teardown --stage {self.spec.stage}",
                "refused",
            )
        if self.model not in {variant.model for variant in found.variants}:
            same = found.release == self.candidate.release_id
            served = "this release with another role or image" if same else f"another release ({found.release})"
            raise AwsError(
                f"Endpoint {self.name} serves {served}. To replace it without downtime: "
                f"verdict update --stage {self.spec.stage}",
                "name-taken",
            )

    def _resized(self, found: DeployedEndpoint, yes: bool) -> DeployedEndpoint:
        """Return the endpoint, moved to the requested size if it has another."""
        if found.hosting == self.spec.hosting:
            return found
        stage, minutes = self.spec.stage, self.spec.minutes
        ready = endpoint_state.wait_until_in_service(self.aws, self.name, stage, self.resume, minutes)
        if ready.hosting == self.spec.hosting:  # an interrupted resize has arrived
            return ready
        return resize(self.aws, ready, self.spec.hosting, self.resume, yes)

    def _propose(self, yes: bool) -> None:
        """Show what will be created, and ask for confirmation."""
        hosting, region = self.spec.hosting, self.aws.account.region
        items = [
            Item("release files in the bucket:", f"releases/{self.candidate.release_id}", MINOR_COST),
            Item("model", self.model),
            Item("endpoint", f"{self.name}, {hosting}", hosting.price(self.aws.account.prices)),
        ]
        if not hosting.is_serverless:
            items.append(Item("alarms", f"{self.name}-{self.candidate.name}-failures and -slowness", MINOR_COST))
        if self.spec.max_instances > hosting.count:
            most = HostingSpec(hosting.instance_type, self.spec.max_instances).price(self.aws.account.prices)
            items.append(Item("autoscaling", f"of {self.name} up to {self.spec.max_instances} instances", most))
        propose(self.aws.console, f"To be created in {region}, stage {self.spec.stage}", items, yes)

    def _bring_up(self, found: DeployedEndpoint | None) -> DeployedEndpoint:
        """Create the endpoint if it does not exist, wait, and verify it; if that fails, delete what was created."""
        try:
            if not found:
                self._create()
            ready = self._wait()
            canary.verify(self.aws.account, self.name, canary.expected(self.candidate))
        except (AwsError, CanaryError) as error:
            if isinstance(error, CanaryError) or error.kind in _UNDONE:
                self._delete(error)
            raise
        return ready

    def _config(self) -> dict[str, Any]:
        variant = VariantSpec(self.candidate.name, self.model, count=self.spec.hosting.count)
        return endpoint_config.request(
            self.spec.stage, self.name, self.candidate.release_id, self.spec.hosting, [variant]
        )

    def _create(self) -> None:
        """Create the endpoint; raises `AwsError` of kind `not-begun` if that is refused."""
        spec = self.spec
        tags = names.tags(spec.stage, self.candidate.release_id, expires=spec.expires, replaces=spec.replaces)
        try:
            with translate_errors():
                self.created.create_endpoint(self.created.ensure_config(self._config()), tags)
        except AwsError as error:
            if error.kind in (*RESUMABLE_KINDS, CHANGED_KIND):
                raise
            raise AwsError(error.detail, "not-begun", error.aws_message) from error

    def _wait(self) -> DeployedEndpoint:
        """Wait until the endpoint is in service; raises `AwsError` if it failed, or took too long."""
        name, minutes = self.name, self.spec.minutes
        try:
            ready = endpoint_state.wait_until_stable(self.aws, name, self.resume, minutes)
        except StoppedWaitingError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise
            raise AwsError(
                f"Endpoint {name} was not in service after {minutes:g} minutes. Allow more time: --max-minutes.",
                "stuck",
            ) from error
        if not ready:
            raise AwsError(f"Endpoint {name} was deleted while it was being created.", "absent")
        if ready.status != IN_SERVICE:
            log = endpoint_state.error_log(self.aws.account, name, ready.created)
            raise AwsError(f"Endpoint {name} failed: {ready.failure}{log}", "failed")
        return ready

    def _delete(self, error: Exception) -> None:
        """Delete what a failed deployment created, and nothing else; raises `AwsError` if AWS refuses that."""
        if not self.created.has_endpoint and endpoint_state.find(self.aws.account, self.name):
            self.aws.print(
                f"Endpoint {self.name} was kept, because another command created it. It may be billed. "
                f"To delete it: verdict teardown --stage {self.spec.stage}"
            )
            return
        self.aws.print(f"Deleting what was created for {self.name} ...")
        try:
            self.created.delete_all(self.resume)
        except (ClientError, BotoCoreError, AwsError, StoppedWaitingError) as refused:
            if isinstance(refused.__cause__, KeyboardInterrupt):
                raise
            raise AwsError(
                f"{error} What was created could not be deleted ({refused}), and may be billed. Run `verdict teardown "
                f"--stage {self.spec.stage}` soon.",
                "left-behind",
            ) from refused

    def _watch_and_scale(self) -> None:
        """Create the alarms of an endpoint on instances, and its autoscaling if that was requested."""
        hosting = self.spec.hosting
        if hosting.is_serverless:
            return
        alarms.ensure(self.aws, self.spec.stage, self.name, [self.candidate.name])
        if self.spec.max_instances > hosting.count:
            limits = AutoscalingLimits(self.candidate.name, hosting.count, self.spec.max_instances, REQUESTS_A_MINUTE)
            autoscaling.ensure(self.aws, self.name, limits)
