"""The `verdict rollback` command."""

from cli.aws_command import on_aws
from cli.options import stage_option, yes_option
from operations.aws.command import Aws
from operations.rollout.rollback import PackageFolders, rollback


@on_aws("rollback")
@stage_option
@yes_option
def command(aws: Aws, stage: str, yes: bool) -> None:
    """Return to the previous release, and package it again."""
    endpoint = rollback(aws, stage, PackageFolders(), yes)
    aws.print(
        f"Endpoint {endpoint.name} serves the previous release. Next, deploy its app: chalice deploy --stage {stage}"
    )
