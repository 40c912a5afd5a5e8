"""The `verdict logs` command."""

from datetime import UTC, datetime, timedelta

import click

from cli.aws_command import on_aws
from cli.options import duration_option, stage_option
from operations.aws.command import Aws
from operations.logs import OF_APP, OF_ENDPOINT, OF_JOB, keep_showing, show, source_of


@on_aws("logs")
@stage_option
@click.option("--follow", "-f", "following", is_flag=True, help="Show new lines as they arrive, until Ctrl-C.")
@click.option(
    "--since",
    default="1h",
    show_default=True,
    callback=duration_option,
    help="How far back to start: 30s, 15m, 4h, 2d.",
)
@click.argument("what", type=click.Choice((OF_ENDPOINT, OF_APP, OF_JOB)), default=OF_ENDPOINT)
@click.argument("name", default="")
def command(aws: Aws, stage: str, following: bool, since: timedelta, what: str, name: str) -> None:
    """Show the logs of the endpoint, the app or a job.

    NAME is the job's name, or the name of an endpoint that no longer exists.
    """
    source = source_of(aws, stage, what, name)
    (keep_showing if following else show)(aws, source, datetime.now(UTC) - since, click.echo)
