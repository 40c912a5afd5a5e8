"""The `verdict update` command."""

from datetime import timedelta

import click

from cli.aws_command import on_aws
from cli.options import duration_option, stage_option, yes_option
from operations.aws.command import Aws
from operations.endpoint.candidate import packaged
from operations.endpoint.shift import KINDS, RolloutStrategy
from operations.inventory.reminders import remind
from operations.rollout.update import update


@on_aws("update")
@stage_option
@click.option("--shift", "kind", type=click.Choice(list(KINDS)), default="canary", show_default=True)
@click.option(
    "--bake", callback=duration_option, default="5m", show_default=True, help="How long each step is watched."
)
@click.option("--unwatched", is_flag=True, help="Do not turn back by alarms: when the old release is in alarm.")
@click.option(
    "--max-minutes", type=click.FloatRange(0, min_open=True), help="Wait no longer.  [default: as it may take]"
)
@yes_option
def command(
    aws: Aws, stage: str, kind: str, bake: timedelta, unwatched: bool, max_minutes: float | None, yes: bool
) -> None:
    """Bring a stage to the packaged release without a failed request; goes back by itself if that does badly.

    --shift and --bake are for endpoints on two instances or more: a tenth first (canary), quarter by quarter (linear),
    or all at once.
    """
    moved = update(
        aws,
        packaged(),
        stage,
        RolloutStrategy(kind, int(bake.total_seconds()), watched=not unwatched, minutes=max_minutes),
        yes,
    )
    aws.say(f"Endpoint {moved.name} is in service. Back again: verdict rollback --stage {stage}")
    remind(aws)
