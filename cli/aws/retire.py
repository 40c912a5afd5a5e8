"""The `verdict retire` command."""

from datetime import timedelta

import click

from cli.aws_command import on_aws
from cli.options import duration_option, stage_option, yes_option
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.teardown.retire import MIN_IDLE, PackagedRelease, retire


def _idle_option(context: click.Context, parameter: click.Parameter, written: str) -> timedelta:
    """Parse --idle; refuse a time shorter than CloudWatch's delay."""
    idle = duration_option(context, parameter, written)
    if idle is None or idle < MIN_IDLE:
        raise click.BadParameter("Use at least 5m: CloudWatch reports invocations some minutes late.")
    return idle


@on_aws("retire")
@stage_option
@click.option(
    "--idle",
    default="15m",
    show_default=True,
    callback=_idle_option,
    help="Delete endpoints without invocations for this long; at least 5m.",
)
@yes_option
def command(aws: Aws, stage: str, idle: timedelta, yes: bool) -> None:
    """Delete idle endpoints that the app no longer uses."""
    retired = retire(aws, stage, PackagedRelease.read(), idle, yes)
    if retired.left:
        failures = "; ".join(f"{left.resource.kind} {left.resource.name}: {left.why}" for left in retired.left)
        raise AwsError(f"Not everything could be deleted: {failures}", "left-over")
