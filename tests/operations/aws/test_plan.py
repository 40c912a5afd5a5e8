import io

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from operations.aws.plan import MINOR_COST, NO_COST, DeclinedError, Item, confirm, propose
from operations.aws.prices import Price

HOURLY = Item("endpoint", "verdict-dev-86d44843754f", Price(0.115))
UNKNOWN = Item("endpoint", "verdict-dev-86d44843754f", Price(None))
FREE = Item("model", "verdict-dev-model", NO_COST)


def proposed(items: list[Item], answer: str | None, yes: bool = False) -> tuple[str, BaseException | None]:
    """Propose to somebody who types this (None: nobody is there); returns what was shown, and what was raised."""
    console = Console(file=io.StringIO(), width=40)

    @click.command
    def command() -> None:
        propose(console, "To be made", items, yes)

    result = CliRunner().invoke(command, input=answer, standalone_mode=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue(), result.exception


@pytest.mark.parametrize("item", [HOURLY, UNKNOWN, Item("bucket", "b", MINOR_COST)])
def test_what_may_cost_something_is_asked_about(item: Item) -> None:
    shown, raised = proposed([item], "n\n")
    assert item.name in shown
    assert str(item.price) in shown
    assert isinstance(raised, DeclinedError)
    assert proposed([item], "y\n")[1] is None


def test_enter_alone_is_no() -> None:
    assert isinstance(proposed([HOURLY], "\n")[1], DeclinedError)


def test_with_nobody_to_ask_nothing_is_done_and_yes_is_named() -> None:
    _, raised = proposed([HOURLY], None)
    assert isinstance(raised, DeclinedError)
    assert "--yes" in raised.detail


def test_yes_shows_the_plan_and_asks_nobody() -> None:
    shown, raised = proposed([HOURLY], None, yes=True)
    assert raised is None
    assert "$0.115 an hour" in shown
    assert "Prices of" in shown


def test_what_costs_nothing_is_asked_about_too_and_shown_without_prices() -> None:
    shown, raised = proposed([FREE], None)
    assert isinstance(raised, DeclinedError)
    assert FREE.name in shown
    assert "Prices of" not in shown


def test_an_empty_plan_shows_nothing() -> None:
    assert proposed([], None) == ("", None)


def test_names_are_shown_in_one_piece_however_narrow_the_window() -> None:
    shown, _ = proposed([Item("model", "n" * 63)], None)
    assert "n" * 63 in shown


def test_ask_takes_yes_for_an_answer() -> None:
    assert confirm("Continue?", yes=True) is None
