import io

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from operations.aws.plan import MINOR_COST, NO_COST, DeclinedError, InterruptedPromptError, Item, confirm, propose
from operations.aws.prices import Price
from tests.operations.candidates import AnswerAfter

HOURLY = Item("endpoint", "verdict-dev-86d44843754f", Price(0.115))
UNKNOWN = Item("endpoint", "verdict-dev-86d44843754f", Price(None))
FREE = Item("model", "verdict-dev-model", NO_COST)


def proposed(items: list[Item], answer: str | None, yes: bool = False) -> tuple[str, BaseException | None]:
    """Propose a plan with an answer on standard input (None: no input); returns the output and the exception."""
    console = Console(file=io.StringIO(), width=40)

    @click.command
    def command() -> None:
        propose(console, "To be made", items, yes)

    result = CliRunner().invoke(command, input=answer, standalone_mode=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue(), result.exception


@pytest.mark.parametrize("item", [HOURLY, UNKNOWN, Item("bucket", "b", MINOR_COST)])
def test_a_billed_item_is_shown_with_its_price_and_confirmed(item: Item) -> None:
    shown, raised = proposed([item], "n\n")
    assert item.name in shown
    assert str(item.price) in shown
    assert isinstance(raised, DeclinedError)
    assert proposed([item], "y\n")[1] is None


def test_enter_means_no() -> None:
    assert isinstance(proposed([HOURLY], "\n")[1], DeclinedError)


def test_without_a_terminal_nothing_is_done() -> None:
    _, raised = proposed([HOURLY], None)
    assert isinstance(raised, DeclinedError)
    assert "--yes" in raised.detail


def test_ctrl_c_at_the_question_is_not_a_missing_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", AnswerAfter(interrupt))
    with pytest.raises(InterruptedPromptError, match=r"Stopped\. Nothing was done\."):
        confirm("Continue?", yes=False)


def test_yes_shows_the_plan_without_a_question() -> None:
    shown, raised = proposed([HOURLY], None, yes=True)
    assert raised is None
    assert "$0.115 an hour" in shown
    assert "On-demand prices" in shown


def test_a_free_item_is_confirmed_without_prices() -> None:
    shown, raised = proposed([FREE], None)
    assert isinstance(raised, DeclinedError)
    assert FREE.name in shown
    assert "Prices of" not in shown


def test_an_empty_plan_shows_nothing() -> None:
    assert proposed([], None) == ("", None)


def test_a_long_name_is_not_wrapped() -> None:
    shown, _ = proposed([Item("model", "n" * 63)], None)
    assert "n" * 63 in shown


def test_yes_needs_no_confirmation() -> None:
    assert confirm("Continue?", yes=True) is None
