"""An endpoint as it is on SageMaker: looked at, waited for, updated, tagged, taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, is_absent
from operations.aws.waiting import wait_for
from operations.endpoint import endpoint_config
from operations.endpoint.endpoint_config import HostingSpec

IN_SERVICE, FAILED = "InService", "Failed"
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
LONGEST_MINUTES = 30.0
LOG_LINES = 12


@dataclass(frozen=True)
class DeployedVariant:
    """A production variant: its share of the traffic is its weight over the sum of weights."""

    name: str
    model: str
    weight: float
    desired_weight: float
    instances: int  # 0 where it is serverless


@dataclass(frozen=True)
class DeployedEndpoint:
    """An endpoint; `tags` are its tags by key, `failure` why it failed or was rolled back, "" for neither."""

    name: str
    arn: str
    status: str
    configuration: str
    variants: tuple[DeployedVariant, ...]
    hosting: HostingSpec
    tags: dict[str, str]
    failure: str
    created: datetime

    @property
    def release(self) -> str:
        """The release that it serves: its only variant's, or of several the one that its tag states."""
        served = names.release_of_model(self.variants[0].model) if len(self.variants) == 1 else ""
        return served or self.tags.get(names.RELEASE_TAG, "")


def find(account: Account, name: str) -> DeployedEndpoint | None:
    """Look at an endpoint; None when it is absent. Raises `AwsError` for one that is not this project's."""
    sagemaker = account.client("sagemaker")
    try:
        seen = sagemaker.describe_endpoint(EndpointName=name)
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=seen["EndpointArn"])
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    except ClientError as error:
        if is_absent(error):  # it may also go between the two calls
            return None
        raise
    if tags.get(names.APP_TAG) != names.APP:
        raise AwsError(
            f"The name is taken: there is an endpoint {name} that these commands did not make (it has no tag "
            f"{names.APP_TAG}). Delete or rename it, or use another --stage.",
            "name-taken",
        )
    return _endpoint(account, seen, tags)


def _endpoint(account: Account, seen: dict[str, Any], tags: dict[str, str]) -> DeployedEndpoint:
    """Put together what several calls tell of an endpoint."""
    configuration = seen.get("EndpointConfigName", "")
    stated = (endpoint_config.describe(account, configuration) if configuration else None) or {"ProductionVariants": []}
    models = {one["VariantName"]: one["ModelName"] for one in stated["ProductionVariants"]}
    on = endpoint_config.read_hosting(stated["ProductionVariants"][0]) if models else HostingSpec()
    variants = tuple(
        DeployedVariant(
            name=one["VariantName"],
            model=models.get(one["VariantName"], ""),
            weight=one.get("CurrentWeight", 0.0),
            desired_weight=one.get("DesiredWeight", 0.0),
            instances=one.get("CurrentInstanceCount", 0),
        )
        for one in seen.get("ProductionVariants", ())
    )
    failure = seen.get("FailureReason", "")
    return DeployedEndpoint(
        seen["EndpointName"],
        seen["EndpointArn"],
        seen["EndpointStatus"],
        configuration,
        variants,
        on,
        tags,
        failure,
        seen["CreationTime"],
    )


def find_all(account: Account, stage: str) -> list[DeployedEndpoint]:
    """Return this project's endpoints of a stage, the newest first."""
    pages = account.client("sagemaker").get_paginator("list_endpoints")
    listed = [
        one["EndpointName"]
        for page in pages.paginate(NameContains=names.prefix(stage), SortBy="CreationTime", SortOrder="Descending")
        for one in page["Endpoints"]
        if one["EndpointName"].startswith(names.prefix(stage))
    ]
    found = []
    for name in listed:
        try:
            found.append(find(account, name))
        except AwsError as error:
            if error.kind != "name-taken":
                raise
    return [endpoint for endpoint in found if endpoint]


def require_in_service(account: Account, name: str, stage: str) -> DeployedEndpoint:
    """Look at an endpoint that must be there and not be moving; raises `AwsError` saying what to do."""
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
    """Wait until an endpoint is in service, failed or gone (None), and return what it then is."""

    def look() -> DeployedEndpoint | None:
        return find(aws.account, name)

    def is_at_rest(seen: DeployedEndpoint | None) -> bool:
        return seen is None or seen.status not in MOVING

    def say(seen: DeployedEndpoint | None) -> str:
        return f"{name} is {seen.status if seen else 'gone'}"

    return wait_for(look, is_at_rest, say, aws.console, resume, longest_seconds=minutes * 60, pause=aws.pause)


def wait_until_in_service(
    aws: Aws, name: str, stage: str, resume: str, minutes: float = LONGEST_MINUTES
) -> DeployedEndpoint:
    """Wait for an endpoint that may be moving, and return it in service; raises `AwsError` where it is not."""
    wait_until_stable(aws, name, resume, minutes)
    return require_in_service(aws.account, name, stage)


def set_tags(account: Account, endpoint: DeployedEndpoint, **values: str) -> None:
    """Set tags of ours on an endpoint: `release`, `previous`, `expires`, ...; "" takes one away."""
    sagemaker = account.client("sagemaker")
    keys = {name: f"verdict:{name.replace('_', '-')}" for name in values}
    stated = [{"Key": keys[name], "Value": value} for name, value in values.items() if value]
    if stated:
        sagemaker.add_tags(ResourceArn=endpoint.arn, Tags=stated)
    gone = [keys[name] for name, value in values.items() if not value]
    if gone:
        sagemaker.delete_tags(ResourceArn=endpoint.arn, TagKeys=gone)


def delete(aws: Aws, name: str, resume: str) -> None:
    """Delete an endpoint and wait until it is gone; one that is absent is fine. Raises `AwsError` where it stays."""
    try:
        aws.account.client("sagemaker").delete_endpoint(EndpointName=name)
    except ClientError as error:
        if is_absent(error):
            return
        raise
    left = wait_until_stable(aws, name, resume)
    if left:
        raise AwsError(f"Endpoint {name} could not be deleted: it is {left.status}. {left.failure}", "left-behind")
    aws.journal.write("deleted", "endpoint", name)


def delete_configs_and_models(aws: Aws, configurations: Sequence[str] = (), models: Sequence[str] = ()) -> None:
    """Delete configurations, then models; those that are absent are fine."""
    sagemaker = aws.account.client("sagemaker")
    for kind, name in [*(("endpoint-config", one) for one in configurations), *(("model", one) for one in models)]:
        try:
            if kind == "model":
                sagemaker.delete_model(ModelName=name)
            else:
                sagemaker.delete_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            if not is_absent(error):
                raise
            continue
        aws.journal.write("deleted", kind, name)


def recent_log_lines(account: Account, name: str, since: datetime) -> list[str]:
    """Return the last lines of an endpoint's log since a time, none where there is no log."""
    begin = int(since.timestamp() * 1000)
    logs, group = account.client("logs"), f"/aws/sagemaker/Endpoints/{name}"
    try:
        streams = logs.describe_log_streams(logGroupName=group, limit=50)["logStreams"]
        lines = [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startTime=begin
            )["events"]
        ]
    except ClientError as error:
        if is_absent(error):
            return []
        raise
    return lines[-LOG_LINES:]
