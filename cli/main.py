"""The `verdict` command: its sections, lazy loading of subcommands, and errors on one line.

A subcommand's module is imported only when that subcommand runs, so `verdict --help` is quick and also lists
subcommands whose packages are not installed.
"""

import importlib
import sys
from importlib.metadata import version

import click

from chalicelib.errors import SentimentError

SECTIONS: dict[str, dict[str, str]] = {  # section -> subcommand -> summary, in the order of use
    "Model": {
        "data": "Collect labelled reviews: download the official archive, or read your own files.",
        "prepare": "Build the vocabulary, learn the n-gram weights, and write the training channels.",
        "train": "Cross-validate, then train a model on all reviews.",
        "tune": "Search for better hyperparameters; the best trial becomes a run.",
        "evaluate": "Measure a run on held-out reviews and, on request, on the official test.",
        "learning": "Measure accuracy by number of training reviews, and add the curve to the report.",
        "predict": "Judge reviews without labels with the packaged release: files of them, or one text.",
        "label": "Label reviews by hand in the terminal, or compare the labels of two people.",
        "check": "Check the packaged release on newly labelled reviews, and show what it gets wrong and why.",
        "drift": "Compare new reviews with those of training, and report what changed.",
        "retrain": "Train a new model on old and new reviews, and let it pass a gate before it can be released.",
        "release": "Package a run as the release, after one evaluation on the official test.",
    },
    "AWS": {
        "doctor": "Check credentials, role, bucket, image, quotas and permissions; create what is missing.",
        "quotas": "List the SageMaker quotas that matter here, or request an increase.",
        "upload": "Upload the prepared channels to the bucket, for jobs on SageMaker.",
        "deploy": "Deploy the packaged release to an endpoint, serverless or on instances.",
        "bytecode": "Precompile what ships to Lambda, for faster cold starts.",
        "package": "Write a CloudFormation stack of the app, with alarms, a dashboard and throttling.",
        "update": "Replace the deployed release with the packaged one, without failed requests.",
        "rollback": "Return to the previous release, and package it again.",
        "split": "Split live traffic between models by weight, for an A/B test.",
        "variants": "Show an endpoint's variants: traffic shares, instances and recent invocations.",
        "compare": "Compare the variants of a split on live traffic, and decide which one is better.",
        "status": "List everything that exists on AWS, by stage, with its state, age and cost.",
        "logs": "Show the logs of the endpoint, the app or a job.",
        "feedback": "Collect feedback on verdicts, export it, or delete it.",
        "releases": "List stored releases with their figures and where they are deployed, or register one.",
        "retire": "Delete idle endpoints that the app no longer uses.",
        "teardown": "Delete what was created on AWS, and verify that nothing billed is left.",
    },
    "This machine": {
        "run": "Run the app and its model endpoint.",
        "endpoint": "Run the model endpoint alone.",
        "simulate": "Run a simulated AWS.",
        "rehearse": "Rehearse an endpoint's whole life on the simulated AWS.",
    },
}
FOLDERS = {"Model": "cli.model", "AWS": "cli.aws", "This machine": "cli.machine"}
MODULES = {name: f"{FOLDERS[section]}.{name}" for section, commands in SECTIONS.items() for name in commands}
EXIT_STATUSES = """Exit status: 0 success; 1 refused, failed or declined; 2 invalid options; 3 drift;
4 the gate refuses a retrained model; 130 interrupted by Ctrl-C.

Shell completion: eval "$(_VERDICT_COMPLETE=bash_source verdict)", or zsh_source, or fish_source."""


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when the subcommand is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the subcommands in the order of use."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand; returns None for an unknown name."""
        if cmd_name not in MODULES:
            return None
        command: click.Command = importlib.import_module(MODULES[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; an unknown name fails with the names that are close to it."""
        if args[0] not in MODULES and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=list(MODULES), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands by section."""
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))


@click.group(cls=LazyGroup, epilog=EXIT_STATUSES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("verdict"), message="%(prog)s %(version)s")
def verdict() -> None:
    """Train, package and operate the Verdict sentiment model, on AWS or on a simulated AWS."""


def main() -> None:
    """Run the `verdict` command, with every expected error on one line."""
    try:
        verdict(prog_name="verdict")
    except SentimentError as error:
        _exit(error.detail)
    except OSError as error:
        _exit(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.")
    except ModuleNotFoundError as error:
        install = "Install it with .venv/bin/python -m pip install -r requirements-dev.txt"
        _exit(f"This command needs {error.name}, which is not installed. {install}")


def _exit(message: str) -> None:
    """Print an error and exit with status 1."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
