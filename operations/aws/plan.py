"""What a command is about to make or change, and what that costs: told, and asked about, before anything is done."""

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
    """A person said no, so nothing was done."""

    type = "declined"
    title = "Nothing was done"


@dataclass(frozen=True)
class Item:
    """One thing that will be made, changed or deleted: what it is, its name, and what it costs while it exists."""

    what: str
    name: str
    price: Price = NO_COST

    @property
    def is_billed(self) -> bool:
        """Whether it can cost something, unknown prices among them."""
        return self.price is not NO_COST and str(self.price) != "nothing"


def propose(console: Console, title: str, items: Sequence[Item], yes: bool, question: str = "Go on?") -> None:
    """Show the plan and ask; with `yes`, only show it.

    Raises `DeclinedError` when the answer is no, or when there is nobody to ask.
    """
    if not items:
        return
    console.print(f"{title}:", soft_wrap=True, highlight=False)
    for item in items:
        cost = f": {item.price}" if item.is_billed else ""
        console.print(f"  {item.what} {item.name}{cost}", soft_wrap=True, highlight=False)
    if any(item.is_billed for item in items):
        console.print(prices.source(), soft_wrap=True, highlight=False)
    confirm(question, yes)


def confirm(question: str, yes: bool) -> None:
    """Ask a person; raises `DeclinedError` unless the answer is yes, or `yes` stands for it."""
    if yes:
        return
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort as error:
        raise DeclinedError("Nobody answered, so nothing was done. Add --yes to go on without being asked.") from error
    if not agreed:
        raise DeclinedError("Nothing was done.")
