"""The permissions that setup, the commands and the app's deployment need, as IAM policies and as a check.

The policies are in `operations/policies/`, a file for each part, because a single policy would exceed IAM's size limit.
The permissions of SageMaker's own role are in `operations.aws.role`.
"""

import json
from collections import defaultdict
from pathlib import Path
from string import Template
from typing import Any

from operations.aws.account import Account
from operations.aws.bucket import bucket_name
from operations.aws.role import role_name
from training.model.container_image import accounts

PARTS = ("setup", "commands", "app", "feedback")
POLICIES = Path(__file__).parent.parent / "policies"
Statement = dict[str, Any]


def policy(account: Account, part: str) -> dict[str, Any]:
    """Return the IAM policy of a part, with this account's names."""
    template = Template((POLICIES / f"{part}.json").read_text(encoding="utf-8"))
    filled: dict[str, Any] = json.loads(
        template.substitute(
            Partition=account.partition,
            Region=account.region,
            Account=account.number,
            Bucket=bucket_name(account),
            Role=role_name(account),
            Registry=accounts().get(account.region, ""),
        )
    )
    return filled


def statements(account: Account) -> list[Statement]:
    """Return the statements of all parts."""
    return [statement for part in PARTS for statement in policy(account, part)["Statement"]]


def refused(account: Account) -> dict[str, list[str]]:
    """Return the refused actions by statement ID, from IAM's policy simulation; raises boto3's errors."""
    caller = principal(account)
    if caller.endswith(":root"):
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    for statement in statements(account):
        for action in refused_actions(account, caller, statement):
            found[statement["Sid"]].append(action)
    return dict(found)


def principal(account: Account) -> str:
    """Return the ARN of the user or role that has the policies: for a session, the assumed role."""
    kind, _, rest = account.caller.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return account.caller
    return str(account.client("iam").get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"])


def sample_arn(resource: str) -> str:
    """Return an ARN that a pattern matches, because the simulation does not expand wildcards in ARNs."""
    return resource if resource == "*" else resource.replace(":*/", ":endpoint/").replace("*", "any")


def refused_actions(account: Account, caller: str, statement: Statement) -> list[str]:
    """Return the actions of a statement that a user or role is refused on any of its resources."""
    context: list[dict[str, Any]] = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
    ]
    pages = (
        account.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=caller,
            ActionNames=statement["Action"],
            ResourceArns=[sample_arn(resource) for resource in statement["Resource"]],
            ContextEntries=context,
        )
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    return sorted({result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"})
