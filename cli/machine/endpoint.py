"""The `verdict endpoint` command."""

import click

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from simulator.child_process import end_with_parent
from simulator.endpoint_faults import GOOD, KINDS, Misbehaviour
from simulator.server import DEFAULT_PORT, LocalEndpoint, packaged_container, stop_signals
from simulator.site import MISBEHAVE_PATH


def _say_nothing(_: str) -> None:
    """Print nothing: the parent process reports instead."""


@click.command("endpoint")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port; 0 chooses a free one.",
)
@click.option("--name", help="Endpoint name.  [default: the name that the packaged app calls]")
@click.option(
    "--misbehave", metavar="KIND", help=f"Inject a fault: {', '.join(KINDS)} (slow takes seconds, as slow:3)."
)
@click.option("--times", type=click.IntRange(min=1), help="Inject the fault into this many requests only.")
@click.option("--child", is_flag=True, hidden=True, help="Print nothing, and exit with the parent process.")
def command(port: int, name: str | None, misbehave: str | None, times: int | None, child: bool) -> None:
    """Run the model endpoint alone.

    Serves the packaged model as SageMaker does, until Ctrl-C.
    """
    say = _say_nothing if child else click.echo
    order = Misbehaviour.parse(misbehave) if misbehave else GOOD
    name = name or endpoint_name(release.load().encoder.fingerprint)
    with stop_signals() as stop:
        if child:
            end_with_parent()
        with LocalEndpoint(name, packaged_container(), port) as endpoint:
            endpoint.orders.misbehave(order, times)
            say(f"Endpoint {name} is at {endpoint.url}. Press Ctrl-C to stop.")
            say(f"For boto3:  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={endpoint.url}")
            say(f"To inject a fault:  curl -X PUT '{endpoint.url}{MISBEHAVE_PATH}?as=unavailable'")
            stop.wait()
    say("The endpoint has stopped.")
