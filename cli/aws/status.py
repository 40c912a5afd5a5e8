"""The `verdict status` command."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from cli.aws_command import on_aws
from operations.aws import names
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.inventory import Inventory
from operations.status import packaged_fingerprint, report, show


def _strangers(found: Inventory) -> Iterator[str]:
    for stranger in found.strangers:
        yield f"Not ours, in spite of its name: {stranger} (it has no tag {names.APP_TAG})."


@on_aws("status")
@click.option(
    "--stage",
    callback=lambda _context, _parameter, value: value and names.checked_stage(value),
    help="Only this stage.  [default: all stages]",
)
@click.option("--all-stages", is_flag=True, help="All stages; this is the default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(aws: Aws, stage: str | None, all_stages: bool, as_json: bool) -> None:
    """Show everything that exists on AWS, stage by stage: variants, weights, state, age and cost."""
    now = datetime.now(UTC)
    found = inventory.take(aws.account, None if all_stages else stage)
    if as_json:
        click.echo(json.dumps(report(aws.account, found, now, packaged_fingerprint()), indent=1))
        return
    show(aws.account, found, now, packaged_fingerprint(), click.echo)
    for sentence in _strangers(found):
        aws.say(sentence)
