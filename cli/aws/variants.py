"""The `verdict variants` command."""

import click

from chalicelib import release
from cli.aws_command import on_aws
from cli.options import json_option, stage_option
from cli.output import print_json
from operations.aws import names
from operations.aws.command import Aws
from operations.endpoint import endpoint_state
from operations.rollout.variants import rows
from training.progress import table


@on_aws("variants")
@stage_option
@click.option("--ask", default="", metavar="TEXT", help="Also let every variant score this text.")
@json_option
def command(aws: Aws, stage: str, ask: str, as_json: bool) -> None:
    """Show an endpoint's variants: traffic shares, instances and recent invocations."""
    found = endpoint_state.require_in_service(
        aws.account, names.endpoint(stage, release.load().encoder.fingerprint), stage
    )
    headings = ("variant", "share", "target share", "instances", "calls, 1 h", "release", *(["score"] if ask else []))
    shown = rows(aws.account, found, ask)
    aws.console.print(table(f"Endpoint {found.name}", shown, headings))
    if as_json:
        keys = ("variant", "share", "target_share", "instances", "calls_last_hour", "release", "score")
        print_json([dict(zip(keys, row, strict=False)) for row in shown])
