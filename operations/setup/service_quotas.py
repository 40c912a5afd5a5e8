"""SageMaker's quotas in the Service Quotas API, and requests for increases.

A new account may have a quota of 0 for an instance type. AWS increases it on request, within hours or days. SageMaker's
error messages use the same quota names.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.errors import SentimentError
from operations.aws import prices
from operations.aws.account import Account
from operations.aws.command import Aws

SERVICE = "sagemaker"
USES = {  # the use of an instance in quota names -> its section in the table of prices
    "endpoint usage": "hosting",
    "training job usage": "training",
    "spot training job usage": "training",
    "transform job usage": "transform",
}
SERVERLESS_CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
SERVERLESS_ENDPOINTS = "Maximum number of serverless endpoints"
_OPEN = ("PENDING", "CASE_OPENED")  # states of an undecided request


class QuotaError(SentimentError):
    """An increase that AWS would refuse, or that is already requested."""

    type = "quota-refused"
    title = "This increase cannot be requested"


@dataclass(frozen=True)
class Quota:
    """A quota's value; `pending` is the requested value while AWS has not decided, otherwise None."""

    name: str
    code: str
    value: float
    adjustable: bool
    pending: float | None = None


def of_machine(instance_type: str, use: str) -> str:
    """Return the quota name of an instance type: `ml.m5.large for endpoint usage`."""
    return f"{instance_type} for {use}"


def relevant() -> list[str]:
    """Return the quota names that these commands can reach: instance types with a price, and serverless."""
    instances = [of_machine(kind, use) for use, purpose in USES.items() for kind in prices.INSTANCE_TYPES[purpose]]
    return [SERVERLESS_CONCURRENCY, SERVERLESS_ENDPOINTS, *instances]


def read(account: Account, wanted: Iterable[str] = ()) -> dict[str, Quota]:
    """Return SageMaker's quotas by name; `wanted` names without an applied value have the default of AWS."""
    client = account.client("service-quotas")
    found = _listed(client, "list_service_quotas")
    if set(wanted) - set(found):
        found = _listed(client, "list_aws_default_service_quotas") | found
    for change in pending(account):
        name = change["QuotaName"]
        if name in found:
            found[name] = replace(found[name], pending=float(change["DesiredValue"]))
    return found


def pending(account: Account) -> list[dict[str, Any]]:
    """Return the undecided requests."""
    pages = account.client("service-quotas").get_paginator("list_requested_service_quota_change_history")
    changes = [change for page in pages.paginate(ServiceCode=SERVICE) for change in page["RequestedQuotas"]]
    return [change for change in changes if change["Status"] in _OPEN]


def _listed(client: Any, operation: str) -> dict[str, Quota]:
    """Return the quotas of a list operation, by name."""
    pages = client.get_paginator(operation).paginate(ServiceCode=SERVICE)
    found = [quota for page in pages for quota in page["Quotas"] if "Value" in quota]
    return {
        quota["QuotaName"]: Quota(quota["QuotaName"], quota["QuotaCode"], float(quota["Value"]), quota["Adjustable"])
        for quota in found
    }


def checked_increase(quotas: dict[str, Quota], name: str, value: float) -> Quota:
    """Return the quota if it can be increased to a value; raises `QuotaError` if not."""
    if name not in quotas:
        near = difflib.get_close_matches(name, quotas, n=3)
        hint = f" Did you mean: {', '.join(map(repr, near))}?" if near else " `verdict quotas` lists them."
        raise QuotaError(f"SageMaker has no quota named {name!r}.{hint}")
    quota = quotas[name]
    if quota.pending is not None:
        raise QuotaError(f"An increase of {name!r} to {quota.pending:g} is already requested. AWS has not decided yet.")
    if value <= quota.value:
        raise QuotaError(f"The quota {name!r} is already {quota.value:g}. Request a higher value.")
    if not quota.adjustable:
        raise QuotaError(f"AWS does not increase the quota {name!r}. Choose another instance type or region.")
    return quota


def request(aws: Aws, quota: Quota, value: float) -> None:
    """Request an increase. AWS decides later."""
    aws.account.client("service-quotas").request_service_quota_increase(
        ServiceCode=SERVICE, QuotaCode=quota.code, DesiredValue=value
    )
