"""List operations of AWS services, read page by page, and the tags of a resource."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.errors import is_absent


def list_all(account: Account, service: str, operation: str, member: str, **request: Any) -> Iterator[Any]:
    """Yield the items of a list operation, from all pages."""
    for page in account.client(service).get_paginator(operation).paginate(**request):
        yield from page.get(member, ())


def tags_by_key(tags: Any) -> dict[str, str]:
    """Convert the tags in a service's response: key -> value."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def tags_of(account: Account, arn: str) -> dict[str, str] | None:
    """Return all tags of a SageMaker resource; None if it has been deleted."""
    try:
        return tags_by_key(list_all(account, "sagemaker", "list_tags", "Tags", ResourceArn=arn))
    except ClientError as error:
        if is_absent(error):
            return None
        raise
