"""What all commands on AWS share: the options --stage, --yes and -v, and errors in one line."""

import functools
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from operations.aws.account import Account, connect
from operations.aws.errors import AwsError, explained
from operations.aws.journal import Journal, journal_of
from operations.aws.options import DEFAULT_STAGE as DEFAULT_STAGE
from operations.aws.options import stage_option as stage_option
from operations.aws.options import verbose_option
from operations.aws.options import yes_option as yes_option
from operations.aws.waiting import StoppedWaitingError

EXIT_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


class Aws:
    """What a command works with: the account, its record, the console (standard error), and how it pauses (seconds).

    `typed` is the command as it was typed, "" where it was not: what goes on after Ctrl-C.
    """

    def __init__(
        self,
        account: Account,
        journal: Journal,
        console: Console,
        pause: Callable[[float], None] = time.sleep,
        typed: str = "",
    ) -> None:
        self.account = account
        self.journal = journal
        self.console = console
        self.pause = pause
        self.typed = typed

    def say(self, sentence: str) -> None:
        """Print a sentence, unbroken."""
        self.console.print(sentence, soft_wrap=True, highlight=False, markup=False)


@contextmanager
def connected(verbose: bool) -> Iterator[Aws]:
    """Connect to the account while the block runs, with -v or without, and tell of errors in one line."""
    with telling(verbose), explained():
        account = connect()
        yield Aws(account, journal_of(account), Console(stderr=True), typed=as_typed())


def as_typed() -> str:
    """Return the command line of this process, where it is one of `verdict`."""
    program, *words = sys.argv
    return shlex.join(["verdict", *words]) if Path(program).name in ("verdict", "main.py") else ""


def on_aws(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a click command of a function that takes an `Aws` first: connected, with -v, errors told in one line."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(*, verbose: bool, **options: Any) -> None:
            with connected(verbose) as aws:
                function(aws, **options)

        return click.command(name)(verbose_option(run))

    return decorate


class telling:  # noqa: N801  (a context manager, as contextlib's are)
    """Shows details of an error where they are asked for, and gives Ctrl-C its exit status."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AwsError) and error.told and self._verbose:
            click.echo(f"AWS said: {error.told}", err=True)
        if isinstance(error, StoppedWaitingError) and isinstance(error.__cause__, KeyboardInterrupt):
            click.echo(f"\n{error.detail}", err=True)
            sys.exit(EXIT_INTERRUPTED)
        if isinstance(error, KeyboardInterrupt):
            click.echo("\nStopped. The same command goes on; `verdict status` shows what exists.", err=True)
            sys.exit(EXIT_INTERRUPTED)
