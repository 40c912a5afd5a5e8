"""Step `deploy`: the packaged release behind an endpoint of its own, checked before anybody relies on it.

Model, configuration, endpoint, in this order, each under a name derived from what it is: a second `deploy` goes on
where the first one stopped, and makes nothing twice. Where the endpoint fails, or its canary does, what was made is
deleted again.
Reviews never leave the account: nothing of a request is captured or logged, and on instances the model has no network
(serverless hosting offers no such isolation).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.aws import names, role
from operations.aws.command import Aws
from operations.aws.errors import PASSING, AwsError, explained
from operations.aws.plan import PENNIES, Item, propose
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import alarms, autoscaling, canary, endpoint_config, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import HostingSpec, VariantSpec
from operations.endpoint.endpoint_state import FAILED, IN_SERVICE, LONGEST_MINUTES, DeployedEndpoint

_UNDONE = ("not-begun", "failed", "stuck", "absent")  # errors after which what was made is deleted again
REQUESTS_A_MINUTE = 600.0  # that one instance is to answer before there is another: about a third of what it can


@dataclass(frozen=True)
class DeploymentSpec:
    """How a release is to be deployed: on what, with how many instances at most, until when ("": for good)."""

    stage: str
    hosting: HostingSpec
    most_instances: int = 0  # 0: no autoscaling
    expires: str = ""
    minutes: float = LONGEST_MINUTES


def deploy(
    aws: Aws, candidate: Candidate, wish: DeploymentSpec, yes: bool = False, replaces: str = ""
) -> DeployedEndpoint:
    """Bring a candidate into service; raises `AwsError` or `CanaryError`, with nothing left behind.

    `replaces` is the release that this one, with another vocabulary, will take over from.
    """
    name = names.endpoint(wish.stage, candidate.encoder.fingerprint)
    resume = aws.typed or f"verdict deploy --stage {wish.stage}"
    model = models.name_of(aws.account, wish.stage, candidate, isolated=not wish.hosting.is_serverless)
    found = _existing(aws, name, resume, wish)
    if found:
        _check_same(aws, found, candidate, model, wish)
    else:
        _propose(aws, name, model, candidate, wish, yes)
    return _bring_up(aws, wish, candidate, name, resume, found, replaces)


def _existing(aws: Aws, name: str, resume: str, wish: DeploymentSpec) -> DeployedEndpoint | None:
    """Look at the endpoint; one that failed before is deleted."""
    found = endpoint_state.find(aws.account, name)
    if found and found.status == "Deleting":
        found = endpoint_state.wait_until_stable(aws, name, resume, wish.minutes)
    if found and found.status == FAILED:
        aws.say(f"Endpoint {name} had failed ({found.failure}). It is deleted and made anew.")
        endpoint_state.delete(aws, name, resume)
        return None
    return found


def _check_same(aws: Aws, found: DeployedEndpoint, candidate: Candidate, model: str, wish: DeploymentSpec) -> None:
    """Raise `AwsError` when the endpoint that is there is not the one that is wanted."""
    if found.variants and found.hosting.is_serverless != wish.hosting.is_serverless:
        raise AwsError(
            f"Endpoint {found.name} is {found.hosting}, and SageMaker turns no endpoint from one kind into the other. "
            f"Take it down first: verdict teardown --stage {wish.stage}",
            "refused",
        )
    if found.variants and model not in {variant.model for variant in found.variants}:
        same = found.release == candidate.release_id
        what = "this release under another role or image" if same else f"another release ({found.release})"
        raise AwsError(
            f"Endpoint {found.name} serves {what}. Bring it to this one without a pause: "
            f"verdict update --stage {wish.stage}",
            "name-taken",
        )
    if found.variants and found.hosting != wish.hosting:
        aws.say(f"Endpoint {found.name} stays as it is: {found.hosting}. For another size, take it down and deploy.")


def _propose(aws: Aws, name: str, model: str, candidate: Candidate, wish: DeploymentSpec, yes: bool) -> None:
    """Tell what will be made."""
    on = wish.hosting
    items = [
        Item("the release, encrypted, in the bucket:", f"releases/{candidate.release_id}", PENNIES),
        Item("model", model),
        Item("endpoint", f"{name}, {on}", on.price(aws.account.region)),
    ]
    if not on.is_serverless:
        items.append(Item("alarms", f"{name}-{candidate.name}-failures and -slowness", PENNIES))
    if wish.most_instances > on.count:
        most = HostingSpec(on.instance_type, wish.most_instances).price(aws.account.region)
        items.append(Item("autoscaling", f"of {name} up to {wish.most_instances} instances, at most", most))
    propose(aws.console, f"To be made in {aws.account.region}, stage {wish.stage}", items, yes)


def _bring_up(
    aws: Aws,
    wish: DeploymentSpec,
    candidate: Candidate,
    name: str,
    resume: str,
    found: DeployedEndpoint | None,
    replaces: str,
) -> DeployedEndpoint:
    """Make what is missing, wait, check; delete it all again where that fails."""
    fresh = not found or found.status == "Creating"
    model = models.ensure(aws, wish.stage, candidate, isolated=not wish.hosting.is_serverless)
    shares = [VariantSpec(candidate.name, model, count=wish.hosting.count)]
    wanted = endpoint_config.request(wish.stage, name, candidate.release_id, wish.hosting, shares)
    configuration = found.configuration if found else str(wanted["EndpointConfigName"])
    try:
        if not found:
            _create(aws, wish, candidate, name, wanted, replaces)
        ready = _ready(aws, name, resume, wish.minutes)
        canary.check(aws.account, name, canary.known(candidate))
    except (AwsError, canary.CanaryError) as error:
        if fresh and (isinstance(error, canary.CanaryError) or error.kind in _UNDONE):
            _take_back(aws, name, configuration, model, resume, error)
        raise
    aws.say("The canary reviews, one without its lowest column, have the scores that they must have.")
    aws.journal.write("updated", "endpoint", name, state=IN_SERVICE, canary="equal")
    if found and wish.expires:
        endpoint_state.set_tags(aws.account, ready, expires=wish.expires)
    _look_after(aws, wish, name, candidate.name)
    return ready


def _create(
    aws: Aws, wish: DeploymentSpec, candidate: Candidate, name: str, wanted: Mapping[str, Any], replaces: str
) -> None:
    """Order the endpoint; raises `AwsError` of kind `not-begun` where it is refused."""
    sagemaker, tags = aws.account.client("sagemaker"), names.tags(wish.stage, candidate.release_id)
    tags += [{"Key": names.EXPIRY_TAG, "Value": wish.expires}] if wish.expires else []
    tags += [{"Key": names.REPLACES_TAG, "Value": replaces}] if replaces else []
    try:
        with explained():
            configuration = endpoint_config.ensure(aws, wish.stage, wanted)
            role.retry_until_propagated(
                aws,
                lambda: sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration, Tags=tags),
            )
    except AwsError as error:
        if error.kind in PASSING:
            raise
        raise AwsError(error.detail, "not-begun", error.told) from error
    aws.journal.write("created", "endpoint", name, stage=wish.stage, release=candidate.release_id)


def _ready(aws: Aws, name: str, resume: str, minutes: float) -> DeployedEndpoint:
    """Wait for the endpoint; raises `AwsError` when it failed, or is still not there after so many minutes."""
    try:
        ready = endpoint_state.wait_until_stable(aws, name, resume, minutes)
    except StoppedWaitingError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise
        raise AwsError(
            f"Endpoint {name} was not in service after {minutes:g} minutes. Give it more time: --max-minutes.", "stuck"
        ) from error
    if not ready:
        raise AwsError(f"Endpoint {name} was deleted while it was being made.", "absent")
    if ready.status != IN_SERVICE:
        lines = "".join(f"\n  {line}" for line in endpoint_state.recent_log_lines(aws.account, name, ready.created))
        raise AwsError(f"Endpoint {name} failed: {ready.failure}{' Its log ends:' if lines else ''}{lines}", "failed")
    return ready


def _take_back(aws: Aws, name: str, configuration: str, model: str, resume: str, error: Exception) -> None:
    """Delete what a failed deploy made; where AWS will not yet, say what will."""
    aws.say(f"Deleting what was made of {name} ...")
    try:
        endpoint_state.delete(aws, name, resume)
        endpoint_state.delete_configs_and_models(aws, [configuration], [model])
    except (ClientError, BotoCoreError, AwsError, StoppedWaitingError) as refused:
        if isinstance(refused.__cause__, KeyboardInterrupt):
            raise
        raise AwsError(
            f"{error} What was made could not be deleted yet ({refused}): run `verdict teardown --stage "
            f"{names.stage_of(name)}` soon, since it may be billed.",
            "left-behind",
        ) from refused


def _look_after(aws: Aws, wish: DeploymentSpec, endpoint: str, variant: str) -> None:
    """Give an endpoint on instances its alarms, and autoscaling where it is wanted."""
    if wish.hosting.is_serverless:
        return
    alarms.ensure(aws, wish.stage, endpoint, [variant])
    if wish.most_instances > wish.hosting.count:
        autoscaling.ensure(aws, endpoint, variant, wish.hosting.count, wish.most_instances, REQUESTS_A_MINUTE)
