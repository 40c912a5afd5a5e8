"""A deployed endpoint's state: read from SageMaker, waited for, and deleted with its configurations and models."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import log_groups, names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, message_of
from operations.aws.listing import list_all, tags_of
from operations.aws.plan import NO_COST
from operations.aws.prices import Price, PriceList
from operations.aws.waiting import wait_for
from operations.endpoint import endpoint_config
from operations.endpoint.endpoint_config import HostingSpec

IN_SERVICE, FAILED = "InService", "Failed"
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
LONGEST_MINUTES = 30.0
LOGS = "/aws/sagemaker/Endpoints/"  # prefix of log groups
CHANGED_KIND = "changed-meanwhile"  # of an `AwsError`: another command works on the same endpoint
LOG_LINES = 12
_ERROR = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback|Worker failed")


@dataclass(frozen=True)
class DeployedVariant:
    """A production variant; its share of the traffic is its weight divided by the sum of all weights."""

    name: str
    model: str
    weight: float
    desired_weight: float
    instance_type: str = ""  # "" if serverless
    count: int = 0  # instances
    desired_count: int = 0
    memory_mb: int = 0  # 0 unless serverless
    max_concurrency: int = 0

    @property
    def machines(self) -> str:
        """`2 x ml.m5.large`, or `serverless, 2048 MB, 5 concurrent requests`."""
        if self.memory_mb:
            return f"serverless, {self.memory_mb} MB, {self.max_concurrency} concurrent requests"
        desired = f", {self.desired_count} desired" if self.desired_count != self.count else ""
        return f"{self.count} x {self.instance_type}{desired}"

    def price(self, price_list: PriceList) -> Price:
        """Return the price of the variant's machines."""
        if self.memory_mb:
            return price_list.serverless(self.memory_mb)
        count = self.count or self.desired_count
        return price_list.instance("hosting", self.instance_type, count) if self.instance_type and count else NO_COST


@dataclass(frozen=True)
class DeployedEndpoint:
    """An endpoint as SageMaker describes it. Before the first fleet runs, the variants are those of the configuration.

    `arriving` are the instances of an update in progress, which run and are billed beside those they replace.
    """

    name: str
    arn: str
    status: str
    configuration: str
    variants: tuple[DeployedVariant, ...]
    arriving: tuple[DeployedVariant, ...]
    is_running: bool  # a fleet exists
    hosting: HostingSpec
    tags: dict[str, str]
    failure: str  # why it failed or was rolled back, "" for neither
    created: datetime

    @property
    def stage(self) -> str:
        """The stage it belongs to."""
        return names.stage_of(self.name)

    @property
    def identity(self) -> tuple[datetime, str, str, frozenset[tuple[str, str]]]:
        """What another command's change alters: creation time, status, configuration, and variants with models."""
        variants = frozenset((variant.name, variant.model) for variant in self.variants)
        return self.created, self.status, self.configuration, variants

    @property
    def served_releases(self) -> tuple[str, ...]:
        """The releases of the variants' models, () if a model's name does not contain one."""
        releases = [names.release_of_model(variant.model) for variant in self.variants]
        return tuple(dict.fromkeys(releases)) if all(releases) else ()

    @property
    def release(self) -> str:
        """The release that it represents: that of its only variant, or of several variants the one in its tag."""
        served = self.served_releases if len(self.variants) == 1 else ()
        return served[0] if served else self.tags.get(names.RELEASE_TAG, "")


def find(account: Account, name: str) -> DeployedEndpoint | None:
    """Return an endpoint, None if it does not exist. Raises `AwsError` if it belongs to another project."""
    described = if_there(account.client("sagemaker").describe_endpoint, EndpointName=name)
    tags = tags_of(account, described["EndpointArn"]) if described else None
    if not described or tags is None:
        return None
    if tags.get(names.APP_TAG) != names.APP:
        raise AwsError(
            f"The name is taken: the endpoint {name} was not created by these commands, because it has no tag "
            f"{names.APP_TAG}. Delete or rename it, or use another --stage.",
            "name-taken",
        )
    return _state(account, described, tags)


def read(account: Account, name: str, tags: dict[str, str]) -> DeployedEndpoint | None:
    """Return the state of an endpoint whose tags are known, None if it does not exist."""
    described = if_there(account.client("sagemaker").describe_endpoint, EndpointName=name)
    return _state(account, described, tags) if described else None


def _state(account: Account, described: Mapping[str, Any], tags: dict[str, str]) -> DeployedEndpoint:
    """Combine the descriptions of an endpoint and of its configuration."""
    configuration = described.get("EndpointConfigName", "")
    config = endpoint_config.describe(account, configuration) if configuration else None
    configured = {variant["VariantName"]: variant for variant in (config or {}).get("ProductionVariants", ())}
    running = described.get("ProductionVariants") or ()
    pending = described.get("PendingDeploymentSummary", {}).get("ProductionVariants", ()) if running else ()
    return DeployedEndpoint(
        name=described["EndpointName"],
        arn=described["EndpointArn"],
        status=described["EndpointStatus"],
        configuration=configuration,
        variants=tuple(_variants(running or configured.values(), configured)),
        arriving=tuple(_variants(pending, {})),
        is_running=bool(running),
        hosting=endpoint_config.read_hosting(next(iter(configured.values()))) if configured else HostingSpec(),
        tags=tags,
        failure=described.get("FailureReason", ""),
        created=described["CreationTime"],
    )


def _variants(running: Any, configured: Mapping[str, Any]) -> Iterator[DeployedVariant]:
    """Yield the variants as they run, completed from their configuration."""
    for variant in running:
        config = configured.get(variant["VariantName"], {})
        serverless = variant.get("CurrentServerlessConfig") or config.get("ServerlessConfig") or {}
        weight = variant.get("CurrentWeight", config.get("InitialVariantWeight", 1.0))
        count = variant.get("CurrentInstanceCount", config.get("InitialInstanceCount", 0))
        yield DeployedVariant(
            name=variant["VariantName"],
            model=config.get("ModelName", ""),
            weight=weight,
            desired_weight=variant.get("DesiredWeight", weight),
            instance_type=config.get("InstanceType", variant.get("InstanceType", "")),
            count=count,
            desired_count=variant.get("DesiredInstanceCount", count),
            memory_mb=serverless.get("MemorySizeInMB", 0),
            max_concurrency=serverless.get("MaxConcurrency", 0),
        )


def find_all(account: Account, stage: str) -> list[DeployedEndpoint]:
    """Return this project's endpoints of a stage, newest first."""
    request = {"NameContains": names.prefix(stage), "SortBy": "CreationTime", "SortOrder": "Descending"}
    found = []
    for listed in list_all(account, "sagemaker", "list_endpoints", "Endpoints", **request):
        name, tags = listed["EndpointName"], tags_of(account, listed["EndpointArn"]) or {}
        if name.startswith(names.prefix(stage)) and tags.get(names.APP_TAG) == names.APP:
            found.append(read(account, name, tags))
    return [endpoint for endpoint in found if endpoint]


def require_in_service(account: Account, name: str, stage: str) -> DeployedEndpoint:
    """Return an endpoint; raises `AwsError` unless it exists and is in service."""
    found = find(account, name)
    if not found:
        raise AwsError(f"There is no endpoint {name}. Deploy one: verdict deploy --stage {stage}", "absent")
    if found.status != IN_SERVICE:
        raise AwsError(
            f"Endpoint {name} is {found.status}{f': {found.failure}' if found.failure else ''}. Wait until it is in "
            f"service (verdict status --stage {stage}), or take it down.",
            "not-in-service",
        )
    return found


def wait_until_stable(aws: Aws, name: str, resume: str, minutes: float = LONGEST_MINUTES) -> DeployedEndpoint | None:
    """Wait until an endpoint is in service, failed or deleted (None), and return it."""

    def look() -> DeployedEndpoint | None:
        return find(aws.account, name)

    def is_stable(endpoint: DeployedEndpoint | None) -> bool:
        return endpoint is None or endpoint.status not in MOVING

    def describe(endpoint: DeployedEndpoint | None) -> str:
        return f"{name} is {endpoint.status if endpoint else 'deleted'}"

    return wait_for(look, is_stable, describe, aws.console, resume, longest_seconds=minutes * 60, pause=aws.pause)


def wait_until_in_service(
    aws: Aws, name: str, stage: str, resume: str, minutes: float = LONGEST_MINUTES
) -> DeployedEndpoint:
    """Wait until an endpoint is stable, and return it; raises `AwsError` unless it is then in service."""
    wait_until_stable(aws, name, resume, minutes)
    return require_in_service(aws.account, name, stage)


def check_unchanged(account: Account, before: DeployedEndpoint) -> None:
    """Raise `AwsError` if an endpoint was changed, deleted or created again since `before` was read.

    Names are derived from content, so another command creates an endpoint of the same name: only the creation time
    distinguishes them. SageMaker has no conditional requests, so the check comes just before the request.
    """
    now = find(account, before.name)
    if now and now.identity == before.identity:
        return
    state = f"is now {now.status} with configuration {now.configuration}" if now else "was deleted"
    raise AwsError(
        f"Another command changed endpoint {before.name} at the same time: it {state}. This command stopped, and "
        "changed nothing of it. Check `verdict status`, then repeat the command.",
        CHANGED_KIND,
    )


def delete(aws: Aws, name: str, created: datetime, resume: str) -> None:
    """Delete the endpoint with this name and creation time, and wait until it is deleted; another one is kept.

    Raises `AwsError` if it stays.
    """
    found = find(aws.account, name)
    if not found or found.created != created:
        return
    if found.status != "Deleting":
        log_groups.tag(aws.account, f"{LOGS}{name}", found.stage)
        if_there(start_deletion, aws=aws, name=name, created=created, resume=resume)
    left = wait_until_stable(aws, name, resume)
    log_groups.tag(aws.account, f"{LOGS}{name}", found.stage)  # again, because its log may begin after the first time
    if left and left.created == created:
        raise AwsError(f"Endpoint {name} could not be deleted: it is {left.status}. {left.failure}", "left-behind")


def start_deletion(aws: Aws, name: str, created: datetime | None, resume: str) -> None:
    """Start the deletion of an endpoint; if AWS refuses because a change is in progress, wait for its end and retry.

    `created` identifies the endpoint after the wait, unless it is None. Raises `ClientError` for other refusals, and
    `StoppedWaitingError` if the change does not end.
    """
    delete = aws.account.client("sagemaker").delete_endpoint
    try:
        delete(EndpointName=name)
    except ClientError as error:
        if not re.search(r"in.progress", message_of(error)):
            raise
        aws.print(f"AWS does not delete {name} while it changes. Waiting for the end of the change ...")
        left = wait_until_stable(aws, name, resume)
        if left and created in (None, left.created):
            delete(EndpointName=name)


def delete_configs_and_models(aws: Aws, configurations: Sequence[str] = (), models: Sequence[str] = ()) -> None:
    """Delete endpoint configurations and models, those of them that exist."""
    sagemaker = aws.account.client("sagemaker")
    for name in configurations:
        if_there(sagemaker.delete_endpoint_config, EndpointConfigName=name)
    for name in models:
        if_there(sagemaker.delete_model, ModelName=name)


def error_log(account: Account, name: str, since: datetime) -> str:
    """Return the end of an endpoint's log since a time, after a heading; "" if there is no error in it."""
    lines = _recent_log_lines(account, name, since)
    return "\n  ".join([" Its log ends:", *lines]) if any(_ERROR.search(line) for line in lines) else ""


def _recent_log_lines(account: Account, name: str, since: datetime) -> list[str]:
    """Return the last lines that an endpoint logged since a time, none if it has no log."""
    start = int(since.timestamp() * 1000)
    logs, group = account.client("logs"), f"{LOGS}{name}"
    found = if_there(logs.describe_log_streams, logGroupName=group, limit=50) or {"logStreams": []}
    lines = [
        event["message"]
        for stream in found["logStreams"]
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startTime=start)[
            "events"
        ]
    ]
    return lines[-LOG_LINES:]
