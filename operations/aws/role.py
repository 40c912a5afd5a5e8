"""The execution role: the permissions of SageMaker while it trains and serves.

`VERDICT_ROLE` is the ARN of the user's own role, which is used unchanged.
"""

import json
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.bucket import PREFIX, bucket_name
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, is_absent, is_taken, message_of
from operations.aws.names import APP, APP_TAG, tag_value
from training.model.container_image import REPOSITORY, accounts

Result = TypeVar("Result")
POLICY_NAME = "verdict"
SERVICE = "sagemaker.amazonaws.com"
_ARN = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+")
PROPAGATION_ATTEMPTS, PROPAGATION_SECONDS = 6, 5.0  # IAM and SageMaker are eventually consistent


def role_name(account: Account) -> str:
    """Return the role's name, which has the region, because its policy names the region's bucket and image."""
    return f"{APP}-sagemaker-{account.region}"


def is_managed() -> bool:
    """Return whether the role is the project's own, so `VERDICT_ROLE` is not set."""
    return not os.environ.get("VERDICT_ROLE")


def find(account: Account) -> str:
    """Return the role's ARN, "" if it does not exist; raises `AwsError` if VERDICT_ROLE is not a role's ARN."""
    custom = os.environ.get("VERDICT_ROLE")
    if not custom:
        return str(_description(account).get("Arn", ""))
    if not _ARN.fullmatch(custom):
        raise AwsError(
            f"VERDICT_ROLE is {custom!r}, which is not the ARN of a role: arn:{account.partition}:iam::"
            f"{account.number}:role/<name>. Set it to one, or unset it.",
            "role-refused",
        )
    return custom


def _description(account: Account) -> dict[str, Any]:
    """Return IAM's description of the role, empty if it does not exist."""
    found = if_there(account.client("iam").get_role, RoleName=role_name(account)) or {}
    description: dict[str, Any] = found.get("Role", {})
    return description


def refuse_untagged(account: Account) -> None:
    """Raise `AwsError` if the role exists without the project's tag."""
    existing = _description(account) if is_managed() else {}
    if existing and tag_value(existing.get("Tags", []), APP_TAG) != APP:
        raise AwsError(
            f"These commands did not create the existing role {role_name(account)}: it has no tag {APP_TAG}. "
            "Set VERDICT_ROLE to the ARN of another.",
            "name-taken",
        )


def require(account: Account) -> str:
    """Return the role's ARN; raises `AwsError` if it does not exist."""
    found = find(account)
    if not found:
        raise AwsError(
            f"There is no execution role {role_name(account)}. Create it: verdict doctor --create. "
            "Or set VERDICT_ROLE to the ARN of an existing role.",
            "no-role",
        )
    return found


def create(aws: Aws) -> str:
    """Create the role, or update its policies if it exists; returns its ARN."""
    iam, name = aws.account.client("iam"), role_name(aws.account)
    refuse_untagged(aws.account)
    if not find(aws.account):
        _create(aws.account)
        refuse_untagged(aws.account)  # if it was created by somebody else just now
    else:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust(aws.account)))
    iam.put_role_policy(RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy(aws.account)))
    return find(aws.account)


def _create(account: Account) -> None:
    """Create the role, unless another command has created it just now."""
    try:
        account.client("iam").create_role(
            RoleName=role_name(account),
            AssumeRolePolicyDocument=json.dumps(trust(account)),
            Description="Lets SageMaker read and write the Verdict prefix of one bucket, and write logs.",
            Tags=[{"Key": APP_TAG, "Value": APP}],
        )
    except ClientError as error:
        if not is_taken(error):
            raise


def trust(account: Account) -> dict[str, Any]:
    """Return the trust policy, which lets only SageMaker assume the role, and only for this account's resources.

    Without the condition, SageMaker could be made to use the role on behalf of another account ("confused deputy").
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.number}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def trusts_sagemaker(found: dict[str, Any]) -> bool:
    """Return whether a trust policy allows SageMaker."""
    statements = found["Statement"] if isinstance(found["Statement"], list) else [found["Statement"]]
    return any(
        statement["Effect"] == "Allow"
        and isinstance(statement["Principal"], dict)
        and SERVICE in statement["Principal"]["Service"]
        for statement in statements
        if "Service" in statement.get("Principal", {})
    )


def policy(account: Account) -> dict[str, Any]:
    """Return the permissions policy: the bucket's prefix, logs and metrics, and the XGBoost image."""
    bucket = f"arn:{account.partition}:s3:::{bucket_name(account)}"
    registry = f"arn:{account.partition}:ecr:{account.region}:{accounts().get(account.region, '')}"
    allowed = [
        ("ReadItsPartOfTheBucket", ["s3:GetObject"], f"{bucket}/{PREFIX}/*"),
        ("WriteModels", ["s3:PutObject"], f"{bucket}/{PREFIX}/jobs/*"),  # not releases/, which endpoints load
        ("WriteScores", ["s3:PutObject"], f"{bucket}/{PREFIX}/transform/*"),
        ("KeepCheckpoints", ["s3:DeleteObject"], f"{bucket}/{PREFIX}/jobs/*"),
        ("ListTheBucket", ["s3:ListBucket", "s3:GetBucketLocation"], bucket),
        ("WriteTheLog", _LOGGING, account.arn("logs", "log-group:/aws/sagemaker/*")),
        ("PullTheImage", _PULLING, f"{registry}:repository/{REPOSITORY}"),
        (
            "SeeTheAlarmsThatTurnAnUpdateBack",
            ["cloudwatch:DescribeAlarms"],
            account.arn("cloudwatch", "alarm:verdict-*"),
        ),
        ("LogInToRegistries", ["ecr:GetAuthorizationToken"], "*"),
    ]
    statements: list[dict[str, Any]] = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource} for sid, actions, resource in allowed
    ]
    statements.append(
        {
            "Sid": "WriteMetrics",
            "Effect": "Allow",
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        }
    )
    return {"Version": "2012-10-17", "Statement": statements}


_LOGGING = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
_PULLING = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]


def retry_until_propagated(aws: Aws, call: Callable[[], Result]) -> Result:
    """Call, and retry while AWS cannot find a resource or assume a role that was just created."""
    for _ in range(PROPAGATION_ATTEMPTS - 1):
        try:
            return call()
        except ClientError as error:
            if not (is_absent(error) or "assume role" in message_of(error)):
                raise
        aws.pause(PROPAGATION_SECONDS)
    return call()
