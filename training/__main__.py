"""`python -m training <step>`: one command a stage, each in its own module, imported when asked for."""

import importlib
import sys

import click

from chalicelib.errors import SentimentError

STEPS = {  # step -> the module whose `command` it is, in the order a release is made
    "data": "training.data",
    "prepare": "training.features",
    "train": "training.train",
    "tune": "training.tune",
    "evaluate": "training.evaluate",
    "release": "training.release",
    "endpoint": "training.simulator.server",
    "bytecode": "training.bytecode",
    "run": "training.run",
}


class Steps(click.Group):
    """A group that imports a step's module when the step is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the steps in the order they are run."""
        return list(STEPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a step; None for a name that is no step."""
        if cmd_name not in STEPS:
            return None
        command: click.Command = importlib.import_module(STEPS[cmd_name]).command
        return command


@click.group(cls=Steps, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From labelled reviews to a packaged release, and the endpoint that serves it on this machine."""


if __name__ == "__main__":
    try:
        main(prog_name="python -m training")
    except SentimentError as error:
        click.echo(f"Error: {error.detail}", err=True)
        sys.exit(1)
