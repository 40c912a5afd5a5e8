"""What things cost by the hour, from a dated table; what is not in it is said to be unknown.

`prices.json` has US dollars of one region, on demand, before tax and free tier, written down from memory of its source,
which could not be reached at the time. Other regions differ by some tens of per cent, so their prices are unknown here,
and the table's stand beside as a hint.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Price:
    """US dollars an hour; None: unknown. `note` says what else there is to know."""

    usd_per_hour: float | None
    note: str = ""

    def __str__(self) -> str:
        """`$0.115 an hour`, `nothing while idle, ...`, or `unknown: ...`."""
        if self.usd_per_hour is None:
            return f"price unknown{f', {self.note}' if self.note else ''}"
        if not self.usd_per_hour:
            return self.note or "nothing"
        return f"${self.usd_per_hour:.3f} an hour{f', {self.note}' if self.note else ''}"


@cache
def table() -> dict[str, Any]:
    """Return the table: `date`, `source`, `region`, and prices by purpose."""
    stated: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
    return stated


def instance(purpose: str, instance_type: str, region: str, count: int = 1) -> Price:
    """Price `count` machines for a purpose: `hosting`, `training` or `transform`."""
    known = table()[purpose].get(instance_type)
    if known is None:
        return Price(None, f"see {table()['source']}")
    if region != table()["region"]:
        return Price(None, f"${known * count:.3f} an hour in {table()['region']}")
    return Price(known * count)


def serverless(memory_mb: int, region: str) -> Price:
    """Price a serverless endpoint: nothing while nobody asks."""
    by_second = table()["serverless_second"][str(memory_mb)]
    where = "" if region == table()["region"] else f" in {table()['region']}"
    return Price(0.0, f"nothing while idle, ${by_second * 3600:.3f} an hour of answering{where}")


def source() -> str:
    """Say how old the table is and where it is from."""
    return (
        f"Prices of {table()['date']} ({table()['source']}, {table()['region']}); check them before you rely on them."
    )
