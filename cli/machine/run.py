"""The `verdict run` command."""

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
def command(port: int) -> None:
    """Run the app and its model endpoint.

    Serves the page with the packaged model, until Ctrl-C. No AWS account is needed.
    """
    with stop_signals() as stop:
        run(port, stop)
    click.echo("\nStopped.")
