"""The context of an AWS command."""

import time
from collections.abc import Callable

from rich.console import Console

from operations.aws.account import Account


class Aws:
    """The account, the console (standard error), and a `pause` in seconds, which tests replace.

    `command_line` is the command as typed, "" if unknown. Messages name it as the command that resumes the work.
    """

    def __init__(
        self,
        account: Account,
        console: Console,
        pause: Callable[[float], None] = time.sleep,
        command_line: str = "",
    ) -> None:
        self.account = account
        self.console = console
        self.pause = pause
        self.command_line = command_line

    def print(self, sentence: str) -> None:
        """Print a sentence without line breaks or markup."""
        self.console.print(sentence, soft_wrap=True, highlight=False, markup=False)
