"""What a person or program needs to be allowed (`operations.setup.grants`), as IAM's policies for an account.

`doctor` asks IAM about each action, `doctor --policy` prints the documents, and docs/how-to/deploy.md shows them.
"""

from typing import Any

from operations.aws.account import Account
from operations.aws.bucket import bucket_name
from operations.aws.role import role_name
from operations.setup.grant import Grant
from operations.setup.grants import PARTS
from training.model.container_image import accounts


def filled_in(account: Account, resource: str) -> str:
    """Return a resource of a grant with this account's names."""
    return resource.format(
        partition=account.partition,
        region=account.region,
        account=account.number,
        bucket=bucket_name(account),
        role=role_name(account),
        registry=accounts().get(account.region, ""),
    )


def policy(account: Account, part: str) -> dict[str, Any]:
    """Return the grants of a part, `setup`, `commands` or `app`, as an IAM policy for this account."""
    return {"Version": "2012-10-17", "Statement": [_statement(account, grant) for grant in PARTS[part]]}


def _statement(account: Account, grant: Grant) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": [filled_in(account, resource) for resource in grant.resources],
    }
    return statement | ({"Condition": {"StringEquals": dict(grant.conditions)}} if grant.conditions else {})
