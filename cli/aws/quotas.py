"""The `verdict quotas` command."""

from collections.abc import Sequence

import click

from cli.aws_command import on_aws
from cli.options import yes_option
from operations.aws.command import Aws
from operations.aws.plan import Item, propose
from operations.setup.quotas import Increase, rows
from operations.setup.service_quotas import checked_increase, read, relevant, request
from training.progress import table


@on_aws("quotas")
@click.option("--request", "increases", type=Increase(), multiple=True, help="Ask AWS to raise this quota.")
@yes_option
def command(aws: Aws, increases: Sequence[tuple[str, float]], yes: bool) -> None:
    """List SageMaker's quotas that matter here, or ask AWS for more."""
    names = relevant()
    quotas = read(aws.account, {*names, *(name for name, _ in increases)})
    if not increases:
        aws.console.print(table(f"Quotas in {aws.account.region}", rows(quotas, names), ("", "now", "asked for")))
        aws.say("More of one: verdict quotas --request 'NAME=VALUE'")
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
    aws.say("Asked. AWS decides within hours or days; `verdict quotas` shows what it decided.")
