"""Whether IAM would let the one who asks do what the commands need, by IAM's own simulation of their policies."""

from collections import defaultdict
from typing import Any

from operations.aws.account import Account
from operations.setup.grant import ANY, Grant
from operations.setup.grants import GRANTS
from operations.setup.permissions import filled_in


def refused(account: Account) -> dict[str, list[str]]:
    """Return purpose -> the actions that would be refused; boto3's errors pass through."""
    caller = principal(account)
    if caller.endswith(":root"):
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    for grant in GRANTS:
        for action in _refused(account, caller, grant):
            found[grant.why].append(action)
    return dict(found)


def principal(account: Account) -> str:
    """Return the ARN that has the policies: of a session of an assumed role, the role's own."""
    kind, _, rest = account.caller.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return account.caller
    return str(account.client("iam").get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"])


def sample(account: Account, resource: str) -> str:
    """Return an ARN that a pattern covers, since to the simulation a star in an ARN is only a letter."""
    if resource == ANY:
        return ANY
    return filled_in(account, resource).replace(":*/", ":endpoint/").replace("*", "any")


def _refused(account: Account, caller: str, grant: Grant) -> list[str]:
    """Return the actions of one grant that are refused on any of its resources."""
    context: list[dict[str, Any]] = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in grant.conditions.items()
    ]
    pages = account.client("iam").get_paginator("simulate_principal_policy")
    told = pages.paginate(
        PolicySourceArn=caller,
        ActionNames=list(grant.actions),
        ResourceArns=[sample(account, resource) for resource in grant.resources],
        ContextEntries=context,
    )
    decisions = [one for page in told for one in page["EvaluationResults"]]
    return sorted({one["EvalActionName"] for one in decisions if one["EvalDecision"] != "allowed"})
