"""Hourly prices from a dated table. The price of anything that is not in the table is unknown.

`prices.json` has US dollars for one region, on demand, before tax and free tier. Its values were not checked against
their source. Prices of other regions differ by up to tens of percent, so they are unknown, with the table's as a hint.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Price:
    """US dollars per hour, None if unknown; `note` qualifies it."""

    usd_per_hour: float | None
    note: str = ""

    def __str__(self) -> str:
        """Return `$0.115 an hour`, `nothing while idle, ...`, or `price unknown, ...`."""
        if self.usd_per_hour is None:
            return f"price unknown{f', {self.note}' if self.note else ''}"
        if not self.usd_per_hour:
            return self.note or "nothing"
        return f"${self.usd_per_hour:.3f} an hour{f', {self.note}' if self.note else ''}"


@cache
def table() -> dict[str, Any]:
    """Return the table: `date`, `source`, `region`, and prices by purpose."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
    return content


def instance(purpose: str, instance_type: str, region: str, count: int = 1) -> Price:
    """Return the price of `count` instances for a purpose: `hosting`, `training` or `transform`."""
    known = table()[purpose].get(instance_type)
    if known is None:
        return Price(None, f"see {table()['source']}")
    if region != table()["region"]:
        return Price(None, f"${known * count:.3f} an hour in {table()['region']}")
    return Price(known * count)


def serverless(memory_mb: int, region: str) -> Price:
    """Return the price of a serverless endpoint: nothing while it is idle."""
    by_second = table()["serverless_second"][str(memory_mb)]
    where = "" if region == table()["region"] else f" in {table()['region']}"
    return Price(0.0, f"nothing while idle, ${by_second * 3600:.3f} an hour of answering{where}")


def source() -> str:
    """Return a sentence with the table's date, source and region."""
    return (
        f"Prices of {table()['date']} ({table()['source']}, {table()['region']}); check them before you rely on them."
    )
