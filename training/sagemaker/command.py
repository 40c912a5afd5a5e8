"""What all commands on AWS share: the options --stage, --yes and -v, and errors in one line."""

import functools
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console

from chalicelib.errors import SentimentError
from training.sagemaker.account import Account, connect
from training.sagemaker.faults import AwsError, explained
from training.sagemaker.journal import Journal, journal_of
from training.sagemaker.names import checked_stage
from training.sagemaker.waiting import StoppedWaitingError

EXIT_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended
DEFAULT_STAGE = "dev"

stage_option = click.option(
    "--stage",
    default=DEFAULT_STAGE,
    show_default=True,
    callback=lambda _context, _parameter, value: checked_stage(value),
    help="Whose endpoint: the stage of `chalice deploy --stage`.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")


class Aws:
    """What a command works with: the account, its record, and the console (standard error)."""

    def __init__(self, account: Account, journal: Journal, console: Console) -> None:
        self.account = account
        self.journal = journal
        self.console = console

    def say(self, sentence: str) -> None:
        """Print a sentence, unbroken."""
        self.console.print(sentence, soft_wrap=True, highlight=False)


def on_aws(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a click command of a function that takes an `Aws` first: connected, with -v, errors told in one line."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(*, verbose: bool, **options: Any) -> None:
            console = Console(stderr=True)
            with telling(verbose), explained():
                account = connect()
                function(Aws(account, journal_of(account), console), **options)

        described = click.option("--verbose", "-v", is_flag=True, help="Also show what AWS said, and where.")(run)
        return click.command(name)(described)

    return decorate


class telling:  # noqa: N801  (a context manager, as contextlib's are)
    """Shows details of an error where they are asked for, and gives Ctrl-C its exit status."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SentimentError) and self._verbose:
            traceback.print_exception(error)
            if isinstance(error, AwsError) and error.told:
                click.echo(f"AWS said: {error.told}", err=True)
        if isinstance(error, StoppedWaitingError) and isinstance(error.__cause__, KeyboardInterrupt):
            click.echo(f"\n{error.detail}", err=True)
            sys.exit(EXIT_INTERRUPTED)
        if isinstance(error, KeyboardInterrupt):
            click.echo("\nStopped. `python -m training status` shows what exists.", err=True)
            sys.exit(EXIT_INTERRUPTED)
