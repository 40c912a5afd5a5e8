"""The `verdict variants` command."""

import click

from chalicelib import release
from cli.aws_command import on_aws
from cli.options import stage_option
from operations.aws import names
from operations.aws.command import Aws
from operations.endpoint import endpoints
from operations.rollout.variants import rows
from training.progress import table


@on_aws("variants")
@stage_option
@click.option("--ask", default="", metavar="TEXT", help="Let every variant score a text, each pinned in turn.")
def command(aws: Aws, stage: str, ask: str) -> None:
    """Show an endpoint's variants: shares, instances, calls in the last hour, and what each says of a text."""
    found = endpoints.need(aws.account, names.endpoint(stage, release.load().encoder.fingerprint), stage)
    headings = ("variant", "share", "wanted", "instances", "calls, 1 h", "release", *(["score"] if ask else []))
    aws.console.print(table(f"Endpoint {found.name}", rows(aws.account, found, ask), headings))
