"""The `verdict upload` command."""

from pathlib import Path

import click

from cli.aws_command import on_aws
from cli.options import channels_option, yes_option
from operations.aws.command import Aws
from operations.aws.plan import propose
from operations.jobs.channel_upload import planned, upload_channels
from training.progress import bars, table


@on_aws("upload")
@channels_option
@click.option(
    "--shards",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Also split the train channels into this many parts, for training on as many instances.",
)
@yes_option
def command(aws: Aws, channels: Path, shards: int, yes: bool) -> None:
    """Upload the prepared channels to the bucket, for jobs on SageMaker."""
    propose(aws.console, "To upload", planned(aws.account, channels, shards), yes)
    with bars(aws.console, "Uploading") as (progress,):
        uploaded = upload_channels(aws, channels, shards, progress)
    rows: list[tuple[object, ...]] = [(name, "uploaded") for name in uploaded.sent]
    rows += [(name, "already there") for name in uploaded.kept]
    aws.console.print(table("Channels", rows))
    aws.print(f"Stored at {uploaded.prefix}/, encrypted.")
