"""Tags of whatever has an ARN."""

from typing import Any

from simulator.sagemaker.backend import Backend, ServiceError
from simulator.sagemaker.service import Operation

MOST_TAGS = 50


def add_tags(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or change their values; answers with all tags there are then."""
    tags = _tags_of(world, request["ResourceArn"])
    merged = tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    if len(merged) > MOST_TAGS:
        raise ServiceError("ResourceLimitExceeded", f"A resource may have {MOST_TAGS} tags at most.")
    tags.update(merged)
    return {"Tags": _listed(tags)}


def list_tags(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List tags; all fit on one page."""
    return {"Tags": _listed(_tags_of(world, request["ResourceArn"]))}


def delete_tags(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Take tags away; those that are not there are no error."""
    tags = _tags_of(world, request["ResourceArn"])
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def _tags_of(world: Backend, arn: str) -> dict[str, str]:
    if arn not in world.tags:
        raise ServiceError("ValidationException", f"Could not find resource {arn}.")
    return world.tags[arn]


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


OPERATIONS: dict[str, Operation] = {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}
