"""The `verdict endpoint` command."""

import click

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from simulator.child_process import end_with_parent
from simulator.endpoint_faults import GOOD, KINDS, Misbehaviour
from simulator.server import DEFAULT_PORT, LocalEndpoint, packaged_container, stop_signals
from simulator.site import MISBEHAVE_PATH


def _say_nothing(_: str) -> None:
    """Leave the telling to the program that started this one."""


@click.command("endpoint")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port; 0 takes any that is free.",
)
@click.option("--name", help="The endpoint's name; the packaged vocabulary's by default.")
@click.option("--misbehave", metavar="KIND", help=f"Go wrong: {', '.join(KINDS)} (slow takes seconds: slow:3).")
@click.option("--times", type=click.IntRange(min=1), help="Misbehave for that many requests only.")
@click.option("--child", is_flag=True, hidden=True, help="Say nothing, and end with the program that started this one.")
def command(port: int, name: str | None, misbehave: str | None, times: int | None, child: bool) -> None:
    """Run the packaged model as a SageMaker endpoint on this machine, until Ctrl-C."""
    say = _say_nothing if child else click.echo
    order = Misbehaviour.parse(misbehave) if misbehave else GOOD
    name = name or endpoint_name(release.load().encoder.fingerprint)
    with stop_signals() as stop:
        if child:
            end_with_parent()
        with LocalEndpoint(name, packaged_container(), port) as endpoint:
            endpoint.orders.misbehave(order, times)
            say(f"Endpoint {name} answers at {endpoint.url}. Ctrl-C stops it.")
            say(f"For boto3:  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={endpoint.url}")
            say(f"To break it:  curl -X PUT '{endpoint.url}{MISBEHAVE_PATH}?as=unavailable'")
            stop.wait()
    say("The endpoint has stopped.")
