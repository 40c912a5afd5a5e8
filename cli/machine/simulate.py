"""The `verdict simulate` command."""

import click

from simulator.aws import DEFAULT_PORT, SimulatedAws
from simulator.processes import end_with_parent, stop_signals

_CONFLICTING = "AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"


@click.command("simulate")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port; 0 chooses a free one.",
)
@click.option(
    "--pace",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    help="Seconds that a transition takes which takes minutes on AWS.",
)
@click.option("--child", is_flag=True, hidden=True, help="Print nothing, and exit with the parent process.")
def command(port: int, pace: float, child: bool) -> None:
    """Run a simulated AWS.

    Serves SageMaker with real xgboost, S3, and what `chalice deploy` needs, until Ctrl-C.
    """
    with stop_signals() as stop:
        if child:
            end_with_parent()
        with SimulatedAws(port, pace) as aws:
            if not child:
                _print_usage(aws)
            stop.wait()
    if not child:
        click.echo("The simulated AWS has stopped. Everything in it is deleted.")


def _print_usage(aws: SimulatedAws) -> None:
    """Print the environment that directs AWS clients to the simulator."""
    click.echo(f"A simulated AWS is at {aws.url}. Press Ctrl-C to stop it and delete everything in it.")
    click.echo("In another shell, for boto3, the AWS CLI, chalice and verdict:\n")
    click.echo(f"  unset {_CONFLICTING}")
    for name, value in aws.environment.items():
        click.echo(f"  export {name}={value}")
    click.echo("\nPrices that commands print here are examples.")
    click.echo(f"To see its state:   curl {aws.url}/_simulator")
    click.echo(
        f"To inject a fault:  curl -X PUT '{aws.url}/_simulator/faults?operation=CreateEndpoint&fault=stuck&times=1'"
    )
