"""The `verdict run` command."""

from contextlib import ExitStack

import click

from devserver.run import DEFAULT_PORT, run
from simulator.processes import stop_signals


@click.command("run")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    envvar="PORT",
    show_default=True,
    show_envvar=True,
    help="Port of the page.",
)
@click.option(
    "--feedback",
    "with_feedback",
    is_flag=True,
    help="Collect feedback and 2% of all reviews, in a simulated table that is deleted at the end.",
)
def command(port: int, with_feedback: bool) -> None:
    """Run the app and its model endpoint.

    Serves the page with the packaged model, until Ctrl-C. No AWS account is needed.
    """
    with ExitStack() as stack, stop_signals() as stop:
        settings = _simulated_table(stack) if with_feedback else {}
        run(port, stop, settings)
    click.echo("\nStopped.")


def _simulated_table(stack: ExitStack) -> dict[str, str]:
    """Create a table on a simulated AWS, which ends with `stack`; returns the app's settings. Needs moto."""
    from rich.console import Console

    from operations.aws.account import Account
    from operations.aws.command import Aws
    from operations.feedback import table
    from operations.feedback.app_settings import CollectionSettings
    from simulator.aws import SimulatedAws
    from simulator.endpoint.runtime import ACCOUNT, REGION

    simulated = stack.enter_context(SimulatedAws())
    aws = Aws(Account(ACCOUNT, REGION, "aws", "", simulated.client), Console(stderr=True))
    name = table.ensure(aws, "local")
    table.ensure_key(aws.account, name)
    variables = CollectionSettings(share=0.02).variables(name)
    click.echo(f"Feedback goes to a simulated DynamoDB at {simulated.url}.")
    return {**variables, "AWS_ENDPOINT_URL_DYNAMODB": simulated.url}
