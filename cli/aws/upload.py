"""The `verdict upload` command."""

from pathlib import Path

import click

from cli.aws_command import on_aws
from cli.options import yes_option
from operations.aws.command import Aws
from operations.aws.plan import propose
from operations.jobs.upload import planned, upload_channels
from training.features.channels import CHANNELS_FOLDER
from training.progress import bars, table


@on_aws("upload")
@click.option(
    "--channels", type=click.Path(file_okay=False, path_type=Path), default=CHANNELS_FOLDER, show_default=True
)
@click.option(
    "--shards",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Also deal the train channels out into so many parts, for as many machines.",
)
@yes_option
def command(aws: Aws, channels: Path, shards: int, yes: bool) -> None:
    """Put the prepared channels into the bucket, for jobs on SageMaker."""
    propose(aws.console, "To be stored", planned(aws.account, channels, shards), yes)
    with bars(aws.console, "Uploading") as (tick,):
        uploaded = upload_channels(aws, channels, shards, tick)
    rows: list[tuple[object, ...]] = [(name, "sent") for name in uploaded.sent]
    rows += [(name, "was there") for name in uploaded.kept]
    aws.console.print(table("Channels", rows))
    aws.say(f"They are at {uploaded.prefix}/, encrypted.")
