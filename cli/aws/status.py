"""The `verdict status` command."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from cli.aws_command import on_aws
from cli.options import json_option
from cli.output import print_json
from operations.aws import names
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.inventory.inventory import Inventory
from operations.status import packaged_fingerprint, report, show


def _untagged(found: Inventory) -> Iterator[str]:
    """Describe resources with our name but without our tag."""
    for resource in found.untagged:
        yield (
            f"Not created by Verdict, despite its name: {resource} (it has no tag {names.APP_TAG}). It may be billed, "
            "and is not in the total."
        )


@on_aws("status")
@click.option(
    "--stage",
    callback=lambda _context, _parameter, value: value and names.checked_stage(value),
    help="Only this stage.  [default: all stages]",
)
@click.option("--all-stages", is_flag=True, help="All stages; this is the default.")
@json_option
def command(aws: Aws, stage: str | None, all_stages: bool, as_json: bool) -> None:
    """List everything that exists on AWS, by stage, with its state, age and cost."""
    now = datetime.now(UTC)
    found = inventory.take(aws.account, None if all_stages else stage)
    if as_json:
        print_json(report(aws.account, found, now, packaged_fingerprint()))
        return
    show(aws.account, found, now, packaged_fingerprint(), click.echo)
    for sentence in _untagged(found):
        aws.print(sentence)
