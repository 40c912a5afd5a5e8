"""The context of a command on AWS."""

import time
from collections.abc import Callable

from rich.console import Console

from operations.aws.account import Account


class Aws:
    """What a command works with: the account, the console (standard error), and how it pauses (seconds).

    `command_line` is the command as it was typed, "" where it was not: what goes on after Ctrl-C.
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
        """Print a sentence, unbroken."""
        self.console.print(sentence, soft_wrap=True, highlight=False, markup=False)
