"""SageMaker's quotas as Service Quotas tells them: how much the account may use at once, and asking for more.

A new account may have a quota of 0 for a machine that this project wants; AWS raises it on request, within hours or
days. Names are those of Service Quotas, which SageMaker's own refusals use as well.
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
USES = {  # what a machine is for, as Service Quotas says it -> the table of prices that lists such machines
    "endpoint usage": "hosting",
    "training job usage": "training",
    "spot training job usage": "training",
    "transform job usage": "transform",
}
SERVERLESS_CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
SERVERLESS_ENDPOINTS = "Maximum number of serverless endpoints"
_OPEN = ("PENDING", "CASE_OPENED")  # states of a request that AWS has not decided on


class QuotaError(SentimentError):
    """An increase that AWS would not take, or that has been asked for already."""

    type = "quota-refused"
    title = "This increase cannot be requested"


@dataclass(frozen=True)
class Quota:
    """A quota as it stands: `pending` is what has been asked for and not decided on, None for nothing."""

    name: str
    code: str
    value: float
    adjustable: bool
    pending: float | None = None


def of_machine(instance_type: str, use: str) -> str:
    """Name the quota of a machine for one of `USES`: `ml.m5.large for endpoint usage`."""
    return f"{instance_type} for {use}"


def relevant() -> list[str]:
    """Name the quotas that this project's commands can meet: those of machines with a price, and of serverless."""
    machines = [of_machine(kind, use) for use, purpose in USES.items() for kind in prices.table()[purpose]]
    return [SERVERLESS_CONCURRENCY, SERVERLESS_ENDPOINTS, *machines]


def read(account: Account, wanted: Iterable[str] = ()) -> dict[str, Quota]:
    """Return SageMaker's quotas by name, those asked for from AWS's defaults where no value has been applied yet."""
    asked = account.client("service-quotas")
    found = _listed(asked, "list_service_quotas")
    if set(wanted) - set(found):
        found = _listed(asked, "list_aws_default_service_quotas") | found
    for change in pending(account):
        name = change["QuotaName"]
        if name in found:
            found[name] = replace(found[name], pending=float(change["DesiredValue"]))
    return found


def pending(account: Account) -> list[dict[str, Any]]:
    """Return the requests that AWS has not decided on."""
    pages = account.client("service-quotas").get_paginator("list_requested_service_quota_change_history")
    changes = [change for page in pages.paginate(ServiceCode=SERVICE) for change in page["RequestedQuotas"]]
    return [change for change in changes if change["Status"] in _OPEN]


def _listed(asked: Any, operation: str) -> dict[str, Quota]:
    """Return what one of the listing operations tells, by name."""
    pages = asked.get_paginator(operation).paginate(ServiceCode=SERVICE)
    stated = [quota for page in pages for quota in page["Quotas"] if "Value" in quota]
    return {
        one["QuotaName"]: Quota(one["QuotaName"], one["QuotaCode"], float(one["Value"]), one["Adjustable"])
        for one in stated
    }


def checked_increase(quotas: dict[str, Quota], name: str, value: float) -> Quota:
    """Return the quota that could be raised to a value; raises `QuotaError` saying why not."""
    if name not in quotas:
        near = difflib.get_close_matches(name, quotas, n=3)
        hint = f" Did you mean: {', '.join(map(repr, near))}?" if near else " `quotas` lists them."
        raise QuotaError(f"SageMaker has no quota named {name!r}.{hint}")
    quota = quotas[name]
    if quota.pending is not None:
        raise QuotaError(f"{quota.pending:g} was asked for {name!r} before, and AWS has not decided yet. Wait for it.")
    if value <= quota.value:
        raise QuotaError(f"The quota {name!r} is {quota.value:g} already. Ask for more than that.")
    if not quota.adjustable:
        raise QuotaError(f"AWS does not raise the quota {name!r}. Choose another machine, or another region.")
    return quota


def request(aws: Aws, quota: Quota, value: float) -> None:
    """Ask AWS for a higher quota; it decides in its own time."""
    aws.account.client("service-quotas").request_service_quota_increase(
        ServiceCode=SERVICE, QuotaCode=quota.code, DesiredValue=value
    )
