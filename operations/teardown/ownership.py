"""The check just before a deletion: the resource still has our tag, and is the one that was listed.

Between the list and the deletion, while a prompt waits, another command may have replaced a resource by one with the
same name.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from operations.aws import bucket
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there
from operations.aws.listing import tags_by_key, tags_of
from operations.aws.names import APP_TAG, is_tagged
from operations.inventory.ownership import owns_endpoint, owns_log_group
from operations.inventory.resources import JOBS, Kind, Resource
from operations.inventory.running_jobs import API_NAMES, job_operation

_DESCRIBED = {  # kind -> operation, name of its resource
    Kind.ENDPOINT: ("describe_endpoint", "Endpoint"),
    Kind.CONFIGURATION: ("describe_endpoint_config", "EndpointConfig"),
    Kind.MODEL: ("describe_model", "Model"),
    Kind.PACKAGE_GROUP: ("describe_model_package_group", "ModelPackageGroup"),
}


def check(aws: Aws, resource: Resource) -> None:
    """Raise `AwsError` unless a resource is still ours and the listed one; one that no longer exists passes."""
    if resource.kind in (*_DESCRIBED, *JOBS):
        _check_described(aws.account, resource)
    elif resource.kind in _CHECKS and not _CHECKS[resource.kind](aws.account, resource):
        raise _foreign()


def _foreign() -> AwsError:
    return AwsError(
        f"It has no tag {APP_TAG}, so it may belong to another project. If it is yours and not needed, delete it "
        "yourself.",
        "refused",
    )


def _check_described(account: Account, resource: Resource) -> None:
    """Check the tag and the creation time of a SageMaker resource."""
    described, member = _describe(account, resource)
    tags = tags_of(account, str(described[f"{member}Arn"])) if described else None
    if tags is None:
        return
    if not is_tagged(tags):
        raise _foreign()
    created: datetime = described["CreationTime"]
    if resource.created and created != resource.created:
        raise AwsError(
            "Another command created it again after it was listed, so it was kept. Repeat the command to list it anew.",
            "changed-meanwhile",
        )


def _describe(account: Account, resource: Resource) -> tuple[dict[str, Any], str]:
    """Return a SageMaker resource's description, {} if it does not exist, and the prefix of its fields."""
    if resource.kind in JOBS:
        return if_there(job_operation(account, "Describe", resource.kind, resource.name)) or {}, API_NAMES[
            resource.kind
        ]
    operation, member = _DESCRIBED[resource.kind]
    call: Callable[..., Any] = getattr(account.client("sagemaker"), operation)
    return if_there(call, **{f"{member}Name": resource.name}) or {}, member


def _owns_alarm(account: Account, alarm: Resource) -> bool:
    found = if_there(account.client("cloudwatch").list_tags_for_resource, ResourceARN=alarm.arn)
    return found is None or is_tagged(tags_by_key(found["Tags"]))


def _owns_role(account: Account, role: Resource) -> bool:
    found = if_there(account.client("iam").get_role, RoleName=role.name)
    return found is None or is_tagged(tags_by_key(found["Role"].get("Tags", ())))


def _owns_output(account: Account, _output: Resource) -> bool:
    return not bucket.is_managed() or not bucket.exists(account) or bucket.is_tagged(account)


_CHECKS: dict[Kind, Callable[[Account, Resource], bool]] = {
    Kind.ALARM: _owns_alarm,
    Kind.ROLE: _owns_role,
    Kind.SCALABLE_TARGET: lambda account, target: owns_endpoint(account, target.facts["endpoint"]),
    Kind.LOG_GROUP: lambda account, group: owns_log_group(account, group.name),
    Kind.TRANSFORM_OUTPUT: _owns_output,
}
