"""The regions of the account. Roles belong to all of them, so a role is deleted only if no region uses it."""

from botocore.exceptions import BotoCoreError, ClientError

from operations.aws.account import Account
from operations.aws.errors import if_there, translate_botocore_error, translate_client_error


def other_users_of_role(account: Account, function: str, role: str) -> str:
    """Return why a role is needed: a function of this name in another region uses it; "" if none does.

    A region that cannot be read counts as one that uses the role.
    """
    try:
        regions = [found["RegionName"] for found in account.client("ec2").describe_regions()["Regions"]]
    except (ClientError, BotoCoreError) as error:
        return f"the regions of the account cannot be listed: {_reason(error)}"
    for region in sorted(set(regions) - {account.region}):
        try:
            found = if_there(account.client_in("lambda", region).get_function, FunctionName=function)
        except (ClientError, BotoCoreError) as error:
            return f"the functions in {region} cannot be read: {_reason(error)}"
        if found and found["Configuration"]["Role"] == role:
            return f"function {function} in {region} uses it"
    return ""


def _reason(error: ClientError | BotoCoreError) -> str:
    translated = translate_client_error(error) if isinstance(error, ClientError) else translate_botocore_error(error)
    return translated.detail
