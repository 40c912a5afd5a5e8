"""Step `quotas`: SageMaker's quotas that matter here, and asking AWS for more."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from training.aws.command import Aws, on_aws, yes_option
from training.aws.plan import Item, propose
from training.progress import table
from training.sagemaker.setup.service_quotas import Quota, checked_increase, read, relevant, request


def rows(quotas: dict[str, Quota], names: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return name, value, and what has been asked for, of the quotas that there are."""
    found = [quotas[name] for name in names if name in quotas]
    return [(one.name, f"{one.value:g}", f"{one.pending:g}" if one.pending is not None else "") for one in found]


class Increase(click.ParamType[tuple[str, float]]):
    """`NAME=VALUE`; the name may hold an equals sign, the value is a number above 0."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Part the name from the number."""
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


@on_aws("quotas")
@click.option("--request", "increases", type=Increase(), multiple=True, help="Ask AWS to raise this quota.")
@yes_option
def command(aws: Aws, increases: Sequence[tuple[str, float]], yes: bool) -> None:
    """List SageMaker's quotas that matter here, or ask AWS for more."""
    names = relevant()
    quotas = read(aws.account, {*names, *(name for name, _ in increases)})
    if not increases:
        aws.console.print(table(f"Quotas in {aws.account.region}", rows(quotas, names), ("", "now", "asked for")))
        aws.say("More of one: python -m training quotas --request 'NAME=VALUE'")
        return
    wanted = [(checked_increase(quotas, name, value), value) for name, value in increases]
    propose(
        aws.console,
        "To ask AWS for",
        [Item("increase", f"{quota.name}: {quota.value:g} -> {value:g}") for quota, value in wanted],
        yes,
    )
    for quota, value in wanted:
        request(aws, quota, value)
    aws.say("Asked. AWS decides within hours or days; `python -m training quotas` shows what it decided.")
