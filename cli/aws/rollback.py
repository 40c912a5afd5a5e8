"""The `verdict rollback` command."""

from cli.aws_command import on_aws
from cli.options import stage_option, yes_option
from operations.aws.command import Aws
from operations.rollout.rollback import Package, rollback


@on_aws("rollback")
@stage_option
@yes_option
def command(aws: Aws, stage: str, yes: bool) -> None:
    """Go back to the release before, and make it the packaged one again."""
    back = rollback(aws, stage, Package(), yes)
    aws.say(f"Endpoint {back.name} is back. The app that belongs to it: chalice deploy --stage {stage}")
