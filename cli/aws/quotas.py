"""The `verdict quotas` command."""

from collections.abc import Sequence

import click

from cli.aws_command import on_aws
from cli.options import json_option, yes_option
from cli.output import print_json
from operations.aws.command import Aws
from operations.aws.plan import Item, propose
from operations.setup.quotas import Increase, rows
from operations.setup.service_quotas import checked_increase, read, relevant, request
from training.progress import table


@on_aws("quotas")
@click.option(
    "--request", "increases", type=Increase(), multiple=True, help="Request an increase of this quota; repeatable."
)
@yes_option
@json_option
def command(aws: Aws, increases: Sequence[tuple[str, float]], yes: bool, as_json: bool) -> None:
    """List the SageMaker quotas that matter here, or request an increase."""
    names = relevant()
    quotas = read(aws.account, {*names, *(name for name, _ in increases)})
    if not increases:
        aws.console.print(table(f"Quotas in {aws.account.region}", rows(quotas, names), ("", "current", "requested")))
        if as_json:
            print_json([quotas[name] for name in names if name in quotas])
            return
        aws.print("To request an increase: verdict quotas --request 'NAME=VALUE'")
        return
    wanted = [(checked_increase(quotas, name, value), value) for name, value in increases]
    propose(
        aws.console,
        "Quota increases to request",
        [Item("increase", f"{quota.name}: {quota.value:g} -> {value:g}") for quota, value in wanted],
        yes,
    )
    for quota, value in wanted:
        request(aws, quota, value)
    aws.print("Requested. AWS decides within hours or days; `verdict quotas` shows its decision.")
