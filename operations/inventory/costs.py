"""Cost estimates: the price per hour of several resources, and their cost since the start of the month.

AWS's own bill is authoritative, and is a day behind.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.plan import NO_COST
from operations.aws.prices import Price
from operations.endpoint.endpoint_state import DeployedVariant
from operations.endpoint.invocation_metrics import metric_sum
from operations.inventory.resources import Resource

_MICROSECONDS = 1e6


def total_price(addends: Iterable[Price]) -> Price:
    """Add prices. The sum is unknown if a price is; the notes of all of them are kept."""
    billed = [price for price in addends if price is not NO_COST]
    if not billed:
        return NO_COST
    note = "; ".join(dict.fromkeys(price.note for price in billed if price.note))
    if any(price.usd_per_hour is None for price in billed):
        return Price(None, note)
    return Price(sum(price.usd_per_hour or 0.0 for price in billed), note)


def month_start(now: datetime) -> datetime:
    """Return the start of the billing month (UTC)."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def hours_this_month(created: datetime, now: datetime) -> float:
    """Return the number of hours of this month during which something has existed."""
    return max((now - max(created, month_start(now))).total_seconds(), 0.0) / 3600


def month_to_date(account: Account, resource: Resource, now: datetime) -> float | None:
    """Estimate the cost of an endpoint or a job this month, in US dollars; None if unknown."""
    if resource.price.usd_per_hour is None or resource.created is None or resource.state == "Deleting":
        return None  # not billed while being deleted
    cost = hours_this_month(resource.created, now) * resource.price.usd_per_hour
    for variant in resource.variants:
        if variant.memory_mb:
            serverless = _serverless_cost(account, resource, variant, now)
            if serverless is None:
                return None
            cost += serverless
    return cost


def _serverless_cost(account: Account, endpoint: Resource, variant: DeployedVariant, now: datetime) -> float | None:
    """Estimate the cost of a serverless variant: its processing seconds times the price of its memory."""
    usd_per_second = account.prices.serverless_usd_per_second(variant.memory_mb)
    if usd_per_second is None or endpoint.created is None:
        return None
    since = max(endpoint.created, month_start(now))
    try:
        microseconds = metric_sum(account, endpoint.name, variant.name, "ModelLatency", since, now)
    except ClientError:
        return None  # unknown, rather than 0
    return microseconds / _MICROSECONDS * usd_per_second


def format_usd(amount: float | None) -> str:
    """Format an amount: `$0.42`, `less than a cent`, `nothing`; `unknown` for None."""
    if amount is None:
        return "unknown"
    if amount < 0.01:
        return "less than a cent" if amount > 0 else "nothing"
    return f"${amount:,.2f}"
