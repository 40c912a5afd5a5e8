"""The `verdict doctor` command."""

import json
import sys

import click

from cli.aws_command import on_aws
from cli.options import json_option, stage_option, yes_option
from cli.output import print_json
from operations.aws.command import Aws
from operations.endpoint.endpoint_config import DEFAULT_CONCURRENCY
from operations.setup import permissions
from operations.setup.checks import problems
from operations.setup.doctor import NO_MACHINE, conclusion, create, examine, show
from operations.setup.service_quotas import SERVERLESS_CONCURRENCY, of_machine


def _machine(use: str) -> str:
    """Return the help of an instance type option."""
    return f"Instance type for {use}, or `{NO_MACHINE}`."


@on_aws("doctor")
@stage_option
@click.option("--create", "creating", is_flag=True, help="Create the bucket and the execution role.")
@click.option("--instance-type", default="ml.m5.large", show_default=True, help=_machine("an endpoint on instances"))
@click.option("--training-type", default="ml.m5.xlarge", show_default=True, help=_machine("training jobs"))
@click.option("--transform-type", default="ml.m5.xlarge", show_default=True, help=_machine("batch transforms"))
@click.option(
    "--policy", type=click.Choice(permissions.PARTS), help="Print the IAM policy for this purpose, and nothing else."
)
@yes_option
@json_option
def command(
    aws: Aws,
    stage: str,
    creating: bool,
    instance_type: str,
    training_type: str,
    transform_type: str,
    policy: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Check credentials, role, bucket, image, quotas and permissions; create what is missing.

    The exit status is 1 if something is missing. A check that could not be made is reported, but is no failure.
    """
    if policy:
        click.echo(json.dumps(permissions.policy(aws.account, policy), indent=2))
        return
    if creating:
        create(aws, yes)
    machines = {
        "endpoint usage": instance_type,
        "training job usage": training_type,
        "transform job usage": transform_type,
    }
    required = {of_machine(kind, use): 1.0 for use, kind in machines.items() if kind != NO_MACHINE}
    with aws.console.status("Checking ..."):
        found = examine(aws.account, stage, {SERVERLESS_CONCURRENCY: float(DEFAULT_CONCURRENCY), **required})
    show(aws.console, found)
    if as_json:
        print_json(found)
    aws.print(conclusion(found))
    if problems(found):
        sys.exit(1)
