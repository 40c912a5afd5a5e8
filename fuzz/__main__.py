"""The command `python -m fuzz` (`make fuzz`)."""

import sys
from collections.abc import Callable
from functools import partial

import click
from rich import box
from rich.console import Console
from rich.table import Table

from fuzz import api, events, files, texts
from fuzz.rounds import Part, Result, check_examples

EXAMPLES, SECONDS = 20_000, 180.0


IN_PROCESS = (
    Part("texts", texts.check, texts.texts),
    Part("events", events.check, events.events, events.handler_environment),
    Part("tables", files.check_table, files.tables),
    Part("archives", files.check_archive, files.archives),
)
PARTS: dict[str, Callable[[int, float], Result]] = {
    **{part.name: partial(check_examples, part) for part in IN_PROCESS},
    "api": api.check_api,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--examples", default=EXAMPLES, show_default=True, type=click.IntRange(1), help="at most, of each part")
@click.option("--seconds", default=SECONDS, show_default=True, type=click.FloatRange(1), help="at most, for each part")
def main(parts: tuple[str, ...], examples: int, seconds: float) -> None:
    """Check generated texts, events, files and HTTP requests (all parts by default); exits with 1 on a failure."""
    results = [PARTS[part](examples, seconds) for part in parts or PARTS]
    console = Console(highlight=False)
    console.print(table_of(results))
    for result in results:
        if result.failure:
            console.print(f"\n{result.part}:\n{result.failure}", markup=False)
    sys.exit(1 if any(result.failure for result in results) else 0)


def table_of(results: list[Result]) -> Table:
    """Return the results as a table."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for heading in ("part", "examples", "seconds", "failed"):
        table.add_column(heading, justify="left" if heading == "part" else "right", min_width=10)
    for each in results:
        table.add_row(each.part, f"{each.examples:,}", f"{each.seconds:,.0f}", "yes" if each.failure else "no")
    return table


if __name__ == "__main__":
    main()
