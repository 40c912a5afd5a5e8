"""The `verdict simulate` command."""

import click

from simulator.aws import SimulatedAws
from simulator.child_process import end_with_parent
from simulator.server import stop_signals
from simulator.simulate import DEFAULT_PORT

_IN_THE_WAY = "AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"


@click.command("simulate")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port; 0 takes any that is free.",
)
@click.option(
    "--pace",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    help="How many seconds a state lasts that takes minutes on AWS.",
)
@click.option("--child", is_flag=True, hidden=True, help="Say nothing, and end with the program that started this one.")
def command(port: int, pace: float, child: bool) -> None:
    """Run an AWS on this machine, until Ctrl-C: SageMaker with real xgboost, S3, and what `chalice deploy` needs."""
    with stop_signals() as stop:
        if child:
            end_with_parent()
        with SimulatedAws(port, pace) as aws:
            if not child:
                _say_where(aws)
            stop.wait()
    if not child:
        click.echo("The simulated AWS has stopped, and nothing of it is left.")


def _say_where(aws: SimulatedAws) -> None:
    """Print what a shell needs for every AWS program in it to come here."""
    click.echo(f"An AWS answers at {aws.url}. Ctrl-C stops it, and all that was made in it is gone.")
    click.echo("For boto3, the AWS CLI, chalice and this project's commands, in another shell:\n")
    click.echo(f"  unset {_IN_THE_WAY}")
    for name, value in aws.environment.items():
        click.echo(f"  export {name}={value}")
    click.echo(f"\nWhat is there:  curl {aws.url}/_simulator")
    click.echo(f"To break it:    curl -X PUT '{aws.url}/_simulator/mishaps?operation=CreateEndpoint&as=stuck&times=1'")
