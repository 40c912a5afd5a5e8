"""A plan: the resources that a command creates, changes or deletes, with prices, to confirm before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import Console

from chalicelib.errors import SentimentError
from operations.aws import prices
from operations.aws.prices import Price

NO_COST = Price(0.0)
MINOR_COST = Price(0.0, "a few cents a month")


class DeclinedError(SentimentError):
    """The plan was not confirmed, so nothing was done."""

    type = "declined"
    title = "Nothing was done"


class InterruptedPromptError(DeclinedError):
    """Ctrl-C instead of an answer."""

    type = "interrupted-prompt"


@dataclass(frozen=True)
class Item:
    """A resource that is created, changed or deleted: its kind, its name, and its price while it exists."""

    kind: str
    name: str
    price: Price = NO_COST

    @property
    def is_billed(self) -> bool:
        """Whether it has a price; an unknown price counts."""
        return self.price is not NO_COST and str(self.price) != "nothing"


def propose(console: Console, title: str, items: Sequence[Item], yes: bool, question: str = "Continue?") -> None:
    """Show the plan and ask for confirmation; with `yes`, only show it.

    Raises `DeclinedError` if the answer is no, or if there is no terminal to answer from.
    """
    if not items:
        return
    console.print(f"{title}:", soft_wrap=True, highlight=False)
    for item in items:
        cost = f": {item.price}" if item.is_billed else ""
        console.print(f"  {item.kind} {item.name}{cost}", soft_wrap=True, highlight=False)
    if any(item.is_billed for item in items):
        console.print(prices.SOURCE, soft_wrap=True, highlight=False)
    confirm(question, yes)


def confirm(question: str, yes: bool) -> None:
    """Ask a yes-or-no question unless `yes` is set; raises `DeclinedError` if the answer is no.

    Click reports Ctrl-C as it does the end of the input; here it is an `InterruptedPromptError`.
    """
    if yes:
        return
    try:
        confirmed = click.confirm(question, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise InterruptedPromptError("Stopped. Nothing was done.") from error
        raise DeclinedError("There was no answer, so nothing was done. Add --yes to skip the question.") from error
    if not confirmed:
        raise DeclinedError("Nothing was done.")
