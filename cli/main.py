"""The `verdict` command: finds each subcommand's module, and prints errors on one line."""

import ast
import importlib
import sys
from pathlib import Path

import click

from chalicelib.errors import SentimentError

SECTIONS = {  # section -> command -> the module whose `command` it is, in the order of use
    "Model": {
        "data": "cli.model.data",
        "prepare": "cli.model.prepare",
        "train": "cli.model.train",
        "tune": "cli.model.tune",
        "evaluate": "cli.model.evaluate",
        "learning": "cli.model.learning",
        "release": "cli.model.release",
    },
    "AWS": {
        "doctor": "cli.aws.doctor",
        "quotas": "cli.aws.quotas",
        "upload": "cli.aws.upload",
        "deploy": "cli.aws.deploy",
        "bytecode": "cli.aws.bytecode",
        "package": "cli.aws.package",
        "update": "cli.aws.update",
        "rollback": "cli.aws.rollback",
        "split": "cli.aws.split",
        "variants": "cli.aws.variants",
        "status": "cli.aws.status",
        "logs": "cli.aws.logs",
        "releases": "cli.aws.releases",
        "retire": "cli.aws.retire",
        "teardown": "cli.aws.teardown",
    },
    "This machine": {
        "run": "cli.machine.run",
        "endpoint": "cli.machine.endpoint",
        "simulate": "cli.machine.simulate",
        "rehearse": "cli.machine.rehearse",
    },
}
COMMANDS = {name: module for section in SECTIONS.values() for name, module in section.items()}


class Steps(click.Group):
    """A group that imports a step's module when the step is called.

    So `--help` stays quick, and lists also those steps whose packages are not installed.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the steps in the order they are run."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a step; None for a name that is no step."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, each with the first line of its help."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary_of(module)) for name, module in commands.items()])


def summary_of(module: str) -> str:
    """Return the first line of what a module's `command` says of itself, read without importing it."""
    source = Path(__file__).parents[1].joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    told = next(ast.get_docstring(function) for function in functions if function.name == "command")
    return (told or "").partition("\n\n")[0]


@click.group(cls=Steps, context_settings={"help_option_names": ["-h", "--help"]})
def verdict() -> None:
    """From labelled reviews to a packaged release, and its endpoint's life, on AWS or on an AWS on this machine."""


def main() -> None:
    """Run the `verdict` command, with every expected error on one line."""
    try:
        verdict(prog_name="verdict")
    except SentimentError as error:
        click.echo(f"Error: {error.detail}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"Error: {error.filename or 'A file'} cannot be used: {error.strerror or error}.", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        needed = "It comes with what the tests need: .venv/bin/python -m pip install -r requirements-dev.txt"
        click.echo(f"Error: This command needs {error.name}, which is not installed. {needed}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
