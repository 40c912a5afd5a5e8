"""The execution role: what SageMaker may do while it trains and serves for us, and no more.

`VERDICT_ROLE` names the ARN of another role, which then is used as it is.
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
from operations.aws.errors import AwsError, if_there, is_absent, message_of
from operations.aws.names import APP, APP_TAG, tag_value
from training.model.container_image import REPOSITORY, accounts

Made = TypeVar("Made")
POLICY_NAME = "verdict"
SERVICE = "sagemaker.amazonaws.com"
_ARN = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+")
SETTLING_TRIES, SETTLING_SECONDS = 6, 5.0  # a new role, or configuration, is not known everywhere at once


def role_name(account: Account) -> str:
    """Name the role of a region: its policy names the region's bucket and image."""
    return f"{APP}-sagemaker-{account.region}"


def is_managed() -> bool:
    """Return whether the role is the project's own, so `VERDICT_ROLE` is not set."""
    return not os.environ.get("VERDICT_ROLE")


def find(account: Account) -> str:
    """Return the role's ARN, "" where it is absent; raises `AwsError` when VERDICT_ROLE is not a role's ARN."""
    stated = os.environ.get("VERDICT_ROLE")
    if not stated:
        return str(_described(account).get("Arn", ""))
    if not _ARN.fullmatch(stated):
        raise AwsError(
            f"VERDICT_ROLE is {stated!r}, which is not the ARN of a role: arn:{account.partition}:iam::"
            f"{account.number}:role/<name>. Set it to one, or unset it.",
            "role-refused",
        )
    return stated


def _described(account: Account) -> dict[str, Any]:
    """Return what IAM tells of the role that has our name, nothing where it is absent."""
    told: dict[str, Any] = (if_there(account.client("iam").get_role, RoleName=role_name(account)) or {}).get("Role", {})
    return told


def refuse_untagged(account: Account) -> None:
    """Raise `AwsError` when a role has our name and not our tag: nothing of it may be changed."""
    told = _described(account) if is_managed() else {}
    if told and tag_value(told.get("Tags", []), APP_TAG) != APP:
        raise AwsError(
            f"There is a role {role_name(account)} that these commands did not make (it has no tag {APP_TAG}). "
            "Set VERDICT_ROLE to the ARN of another.",
            "name-taken",
        )


def require(account: Account) -> str:
    """Return the role's ARN; raises `AwsError` saying how to make one where it is absent."""
    found = find(account)
    if not found:
        raise AwsError(
            f"There is no execution role {role_name(account)} yet. Make it: verdict doctor --create. "
            "Or set VERDICT_ROLE to the ARN of one that you have.",
            "no-role",
        )
    return found


def create(aws: Aws) -> str:
    """Make the role with its policy, or bring the policy of an existing one up to date; returns its ARN."""
    iam, name = aws.account.client("iam"), role_name(aws.account)
    refuse_untagged(aws.account)
    if not find(aws.account):
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(trust()),
            Description="What SageMaker may do for Verdict: read and write its part of one bucket, and log.",
            Tags=[{"Key": APP_TAG, "Value": APP}],
        )
    iam.put_role_policy(RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy(aws.account)))
    return find(aws.account)


def trust() -> dict[str, Any]:
    """Return who may take the role: SageMaker alone."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def policy(account: Account) -> dict[str, Any]:
    """Return what the role may do: its part of the bucket, its logs and metrics, the XGBoost image."""
    bucket = f"arn:{account.partition}:s3:::{bucket_name(account)}"
    registry = f"arn:{account.partition}:ecr:{account.region}:{accounts().get(account.region, '')}"
    allowed = [
        ("ReadAndWriteItsPartOfTheBucket", ["s3:GetObject", "s3:PutObject"], f"{bucket}/{PREFIX}/*"),
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


def retry_until_propagated(aws: Aws, call: Callable[[], Made]) -> Made:
    """Make a call again while AWS says that a role, or what was made a moment ago, is not there yet."""
    for _ in range(SETTLING_TRIES - 1):
        try:
            return call()
        except ClientError as error:
            if not (is_absent(error) or "assume role" in message_of(error)):
                raise
        aws.pause(SETTLING_SECONDS)
    return call()
