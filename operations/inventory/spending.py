"""What things have cost since the month began: hours for machines, seconds of answering for serverless endpoints.

All of it is an estimate from the price table: AWS's own bill is what counts, and comes a day later.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from operations.aws import prices
from operations.aws.account import Account
from operations.aws.plan import NOTHING
from operations.aws.prices import Price
from operations.endpoint.invocation_metrics import metric_sum
from operations.inventory.resources import Resource, Variant

_MICROSECONDS = 1e6


def total(several: Iterable[Price]) -> Price:
    """Add prices up; one that is unknown makes the sum unknown, and what costs nothing by the hour leaves its note."""
    known = [price for price in several if price is not NOTHING]
    if not known:
        return NOTHING
    notes = list(dict.fromkeys(price.note for price in known if price.note))
    if any(price.usd_per_hour is None for price in known):
        return Price(None, "; ".join(notes))
    return Price(sum(price.usd_per_hour or 0.0 for price in known), "; ".join(notes))


def month_start(now: datetime) -> datetime:
    """Return the first moment of the month, as AWS bills it (UTC)."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def hours_this_month(created: datetime, now: datetime) -> float:
    """Return for how many hours of this month something has existed."""
    return max((now - max(created, month_start(now))).total_seconds(), 0.0) / 3600


def so_far(account: Account, resource: Resource, now: datetime) -> float | None:
    """Estimate what an endpoint or a job has cost this month, US dollars; None when it cannot be told."""
    if resource.price.usd_per_hour is None or resource.created is None or resource.state == "Deleting":
        return None  # what is going has no price any more
    spent = hours_this_month(resource.created, now) * resource.price.usd_per_hour
    for variant in resource.variants:
        if variant.memory_mb:
            answering = _serverless(account, resource, variant, now)
            if answering is None:
                return None
            spent += answering
    return spent


def _serverless(account: Account, endpoint: Resource, variant: Variant, now: datetime) -> float | None:
    """Estimate what a serverless variant has cost: its seconds of answering by the price of its memory."""
    if account.region != prices.table()["region"] or endpoint.created is None:
        return None
    since = max(endpoint.created, month_start(now))
    try:
        microseconds = metric_sum(account, endpoint.name, variant.name, "ModelLatency", since, now)
    except ClientError:
        return None  # it cannot be told, and is not nothing
    by_second: float = prices.table()["serverless_second"][str(variant.memory_mb)]
    return microseconds / _MICROSECONDS * by_second


def dollars(amount: float | None) -> str:
    """Write an amount: `$0.42`, `less than a cent`, `nothing`; None: `unknown`."""
    if amount is None:
        return "unknown"
    if amount < 0.01:
        return "less than a cent" if amount > 0 else "nothing"
    return f"${amount:,.2f}"
