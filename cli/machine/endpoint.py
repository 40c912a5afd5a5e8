"""The `verdict endpoint` command."""

import click

from chalicelib import release
from chalicelib.endpoint import endpoint_name
from simulator.endpoint.endpoint_site import FAULTS_PATH
from simulator.endpoint.local_endpoint import DEFAULT_PORT, LocalEndpoint, packaged_container
from simulator.faults.endpoint_faults import KINDS, NO_FAULT, EndpointFault
from simulator.processes import end_with_parent, stop_signals


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
    fault = EndpointFault.parse(misbehave) if misbehave else NO_FAULT
    name = name or endpoint_name(release.load().encoder.fingerprint)
    with stop_signals() as stop:
        if child:
            end_with_parent()
        with LocalEndpoint(name, packaged_container(), port) as endpoint:
            endpoint.faults.inject(fault, times)
            say(f"Endpoint {name} is at {endpoint.url}. Press Ctrl-C to stop.")
            say(f"For boto3:  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={endpoint.url}")
            say(f"To inject a fault:  curl -X PUT '{endpoint.url}{FAULTS_PATH}?fault=unavailable'")
            stop.wait()
    say("The endpoint has stopped.")
