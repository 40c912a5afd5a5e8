"""Ownership of log groups and scalable targets, which AWS creates without tags, by their endpoint or function."""

from operations.aws.account import Account
from operations.aws.errors import if_there
from operations.aws.listing import tags_of
from operations.aws.names import is_tagged
from operations.endpoint import endpoint_state

ENDPOINT_LOGS, APP_LOGS = endpoint_state.LOGS, "/aws/lambda/"


def owns_endpoint(account: Account, name: str) -> bool:
    """Return whether an endpoint exists and has our tag."""
    return is_tagged(tags_of(account, account.arn("sagemaker", f"endpoint/{name}")))


def owns_function(account: Account, name: str) -> bool:
    """Return whether a function exists and has our tag."""
    function = if_there(account.client("lambda").get_function, FunctionName=name) or {}
    return is_tagged(function.get("Tags"))


def log_group_tags(account: Account, group: str) -> dict[str, str]:
    """Return the tags of a log group, {} if it does not exist."""
    arn = account.arn("logs", f"log-group:{group}")
    found = if_there(account.client("logs").list_tags_for_resource, resourceArn=arn) or {}
    return dict(found.get("tags", {}))


def owns_log_group(account: Account, group: str) -> bool:
    """Return whether a log group has our tag, or belongs to an existing endpoint or function that has it."""
    if is_tagged(log_group_tags(account, group)):
        return True
    if group.startswith(ENDPOINT_LOGS):
        return owns_endpoint(account, group.removeprefix(ENDPOINT_LOGS))
    return owns_function(account, group.removeprefix(APP_LOGS))
