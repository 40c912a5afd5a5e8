"""The `verdict rollback` command."""

from operations.aws.command import Aws, on_aws, stage_option, yes_option
from operations.rollout.rollback import Package, rollback


@on_aws("rollback")
@stage_option
@yes_option
def command(aws: Aws, stage: str, yes: bool) -> None:
    """Go back to the release before, and make it the packaged one again."""
    back = rollback(aws, stage, Package(), yes)
    aws.say(f"Endpoint {back.name} is back. The app that belongs to it: chalice deploy --stage {stage}")
