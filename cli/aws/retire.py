"""The `verdict retire` command."""

from datetime import timedelta

import click

from cli.aws_command import on_aws
from cli.options import duration_option, stage_option, yes_option
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.teardown.retire import LEAST_IDLE, Packaged, retire


def _idle_option(context: click.Context, parameter: click.Parameter, written: str) -> timedelta:
    """Read --idle; a while that CloudWatch cannot tell of yet is refused."""
    idle = duration_option(context, parameter, written)
    if idle is None or idle < LEAST_IDLE:
        raise click.BadParameter("At least 5m: CloudWatch tells some minutes late what it has counted.")
    return idle


@on_aws("retire")
@stage_option
@click.option(
    "--idle", default="15m", show_default=True, callback=_idle_option, help="For how long not asked; 5m or more."
)
@yes_option
def command(aws: Aws, stage: str, idle: timedelta, yes: bool) -> None:
    """Delete the endpoints of a stage that the app has left and nobody asks any more."""
    retired = retire(aws, stage, Packaged.read(), idle, yes)
    if retired.left:
        told = "; ".join(f"{one.resource.kind} {one.resource.name}: {one.why}" for one in retired.left)
        raise AwsError(f"Not everything could be deleted: {told}", "left-over")
