"""Tables on consoles of any width."""

import io

import pytest
from rich.console import Console

from training.progress import table

HEADINGS = ("variant", "traffic", "invocations", "release")
ROWS = [("release", "90%", 1_234, "53c0af88436b-7b412395"), ("linear", "10%", 137, "53c0af88436b-971b7d13")]


def shown(width: int, headings: tuple[str, ...] = HEADINGS) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table("Variants", ROWS, headings))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [20, 30, 40, 50])
def test_a_table_that_does_not_fit_is_a_list_of_whole_cells(width: int) -> None:
    lines = shown(width)
    words = " ".join(lines).split()
    assert not {"┃", "│"} & set("".join(lines))
    assert words.count("53c0af88436b-7b412395") == 1 or width < len("  53c0af88436b-7b412395")
    assert max(map(len, lines)) <= width


def test_a_list_names_each_value_by_its_heading() -> None:
    assert shown(40)[:5] == [
        "Variants",
        "release",
        "  traffic: 90%",
        "  invocations: 1234",
        "  release: 53c0af88436b-7b412395",
    ]


def test_a_list_without_headings_has_the_values_alone() -> None:
    assert shown(30, ())[1:3] == ["release", "  90%"]


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_that_fits_has_columns(width: int) -> None:
    assert "┃ variant ┃ traffic ┃ invocations ┃               release ┃" in shown(width)
