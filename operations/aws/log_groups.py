"""Tags of log groups, which AWS creates without any."""

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.names import APP, APP_TAG, STAGE_TAG


def tag(account: Account, group: str, stage: str) -> None:
    """Give an owner's log group our tags before the owner is deleted, so that its log can still be recognized.

    Without a log group or the permission nothing is tagged, and the log is later listed instead of deleted.
    """
    arn, tags = account.arn("logs", f"log-group:{group}"), {APP_TAG: APP, STAGE_TAG: stage}
    try:
        account.client("logs").tag_resource(resourceArn=arn, tags=tags)
    except ClientError:
        return
