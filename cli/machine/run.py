"""The `verdict run` command."""

import click

from devserver.run import DEFAULT_PORT, run
from simulator.server import stop_signals


@click.command("run")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    envvar="PORT",
    show_default=True,
    show_envvar=True,
    help="The page's port.",
)
def command(port: int) -> None:
    """Run the app and the model's endpoint on this machine, until Ctrl-C."""
    with stop_signals() as stop:
        run(port, stop)
    click.echo("\nBoth have stopped.")
