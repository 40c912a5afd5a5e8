"""`python -m training <step>`: one command a stage, each in its own module, imported when asked for."""

import ast
import importlib
import sys
from pathlib import Path

import click

from chalicelib.errors import SentimentError

STEPS = {  # step -> the module whose `command` it is, in the order a release is made
    "data": "training.data",
    "prepare": "training.features",
    "train": "training.train",
    "tune": "training.tune",
    "evaluate": "training.evaluate",
    "learning": "training.learning",
    "release": "training.release",
    "doctor": "training.sagemaker.doctor",
    "quotas": "training.sagemaker.quotas",
    "upload": "training.sagemaker.jobs.upload",
    "deploy": "training.sagemaker.deploy",
    "update": "training.sagemaker.update",
    "rollback": "training.sagemaker.rollback",
    "split": "training.sagemaker.split",
    "variants": "training.sagemaker.variants",
    "endpoint": "training.simulator.server",
    "status": "training.sagemaker.status",
    "logs": "training.sagemaker.logs",
    "releases": "training.sagemaker.releases",
    "retire": "training.sagemaker.retire",
    "teardown": "training.sagemaker.teardown",
    "simulate": "training.simulator.simulate",
    "rehearse": "training.rehearse",
    "bytecode": "training.bytecode",
    "package": "training.package",
    "run": "training.run",
}


class Steps(click.Group):
    """A group that imports a step's module when the step is called.

    So `--help` stays quick, and lists also those steps whose packages are not installed.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the steps in the order they are run."""
        return list(STEPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a step; None for a name that is no step."""
        if cmd_name not in STEPS:
            return None
        command: click.Command = importlib.import_module(STEPS[cmd_name]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the steps, each with the first line of its help."""
        with formatter.section("Steps"):
            formatter.write_dl([(step, summary_of(module)) for step, module in STEPS.items()])


def summary_of(module: str) -> str:
    """Return the first line of what a module's `command` says of itself, read without importing it."""
    source = Path(__file__).parents[1].joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    told = next(ast.get_docstring(function) for function in functions if function.name == "command")
    return (told or "").partition("\n\n")[0]


@click.group(cls=Steps, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From labelled reviews to a packaged release, and its endpoint's life, on AWS or on an AWS on this machine."""


if __name__ == "__main__":
    try:
        main(prog_name="python -m training")
    except SentimentError as error:
        click.echo(f"Error: {error.detail}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"Error: {error.filename or 'A file'} cannot be used: {error.strerror or error}.", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        needed = "It comes with what the tests need: .venv/bin/python -m pip install -r requirements-dev.txt"
        click.echo(f"Error: This step needs {error.name}, which is not installed. {needed}", err=True)
        sys.exit(1)
