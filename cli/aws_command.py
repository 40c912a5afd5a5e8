"""Subcommands that work on AWS: the connection, one-line errors, and the exit status of Ctrl-C."""

import functools
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli.options import EXIT_INTERRUPTED, verbose_option
from operations.aws.account import connect
from operations.aws.command import Aws
from operations.aws.errors import AwsError, translate_errors
from operations.aws.plan import InterruptedPromptError
from operations.aws.waiting import StoppedWaitingError


def command_line() -> str:
    """Return this process's command line if it is a `verdict` command, otherwise ""."""
    program, *arguments = sys.argv
    return shlex.join(["verdict", *arguments]) if Path(program).name in ("verdict", "main.py") else ""


@contextmanager
def connected(verbose: bool) -> Iterator[Aws]:
    """Connect to AWS while the block runs; with `verbose`, errors also show AWS's own message."""
    with _reported_errors(verbose), translate_errors():
        yield Aws(connect(), Console(stderr=True), command_line=command_line())


@contextmanager
def _reported_errors(verbose: bool) -> Iterator[None]:
    """Print details of an AWS error if requested, and exit with status 130 on Ctrl-C."""
    try:
        yield
    except AwsError as error:
        if error.aws_message and verbose:
            click.echo(f"AWS: {error.aws_message}", err=True)
        raise
    except StoppedWaitingError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        click.echo(f"\n{error.detail}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except InterruptedPromptError as error:
        click.echo(f"\n{error.detail}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except KeyboardInterrupt:
        click.echo("\nStopped. Repeat the command to resume; `verdict status` shows what exists.", err=True)
        sys.exit(EXIT_INTERRUPTED)


def on_aws(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Create a click command from a function whose first parameter is the AWS connection; adds --verbose."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(*, verbose: bool, **options: Any) -> None:
            with connected(verbose) as aws:
                function(aws, **options)

        return click.command(name)(verbose_option(run))

    return decorate


def report_stopped(aws: Aws, run: str, jobs: list[str]) -> None:
    """Print the names of the jobs of a run that were stopped."""
    aws.print(f"Stopping {', '.join(jobs)}." if jobs else f"No job of run {run} is in progress.")
