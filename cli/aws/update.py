"""The `verdict update` command."""

from datetime import timedelta

import click

from cli.aws_command import on_aws
from cli.options import duration_option, stage_option, yes_option
from operations.aws.command import Aws
from operations.endpoint.candidate import packaged_candidate
from operations.endpoint.traffic_shift import KINDS, RolloutStrategy
from operations.inventory.reminders import remind
from operations.rollout.update import update


@on_aws("update")
@stage_option
@click.option(
    "--shift",
    "kind",
    type=click.Choice(list(KINDS)),
    default="canary",
    show_default=True,
    help="How traffic moves to the new release.",
)
@click.option(
    "--bake",
    callback=duration_option,
    default="5m",
    show_default=True,
    help="How long alarms are watched after each step.",
)
@click.option(
    "--unwatched", is_flag=True, help="Do not roll back on alarms; needed if the deployed release is in alarm."
)
@click.option(
    "--max-minutes",
    type=click.FloatRange(0, min_open=True),
    help="Longest wait.  [default: as long as the steps can take]",
)
@yes_option
def command(
    aws: Aws, stage: str, kind: str, bake: timedelta, unwatched: bool, max_minutes: float | None, yes: bool
) -> None:
    """Replace the deployed release with the packaged one, without failed requests.

    Rolls back automatically if an alarm goes off. --shift and --bake apply to endpoints on two or more instances: a
    tenth of the traffic first (canary), a quarter at a time (linear), or all at once.
    """
    endpoint = update(
        aws,
        packaged_candidate(),
        stage,
        RolloutStrategy(kind, int(bake.total_seconds()), watched=not unwatched, minutes=max_minutes),
        yes,
    )
    aws.print(f"Endpoint {endpoint.name} is in service. To undo: verdict rollback --stage {stage}")
    remind(aws)
