"""Table rows and option parsing of `verdict quotas`."""

from collections.abc import Iterable
from typing import Any

import click

from operations.setup.service_quotas import Quota


def rows(quotas: dict[str, Quota], names: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return the name, value and pending request of each quota that exists."""
    found = [quotas[name] for name in names if name in quotas]
    return [(quota.name, f"{quota.value:g}", "" if quota.pending is None else f"{quota.pending:g}") for quota in found]


class Increase(click.ParamType[tuple[str, float]]):
    """`NAME=VALUE`; the name may contain an equals sign, the value is a positive number."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Split the name from the number."""
        if isinstance(value, tuple):
            return value[0], value[1]
        name, _, number = str(value).rpartition("=")
        try:
            wanted = float(number)
        except ValueError:
            wanted = 0.0
        if not name.strip() or not 0 < wanted < float("inf"):
            self.fail(f"{value!r} is not NAME=VALUE, as in 'ml.m5.large for endpoint usage=2'.", param, ctx)
        return name.strip(), wanted
