"""The command `python -m fuzz` (`make fuzz`)."""

import sys
from collections.abc import Callable

import click
from rich import box
from rich.console import Console
from rich.table import Table

from fuzz import api, events, files, texts
from fuzz.rounds import Result, check_examples

EXAMPLES, SECONDS = 20_000, 180.0


def fuzz_texts(examples: int, seconds: float) -> Result:
    """Check generated texts."""
    return check_examples("texts", texts.check, texts.texts(), examples, seconds)


def fuzz_events(examples: int, seconds: float) -> Result:
    """Check generated Lambda events."""
    with events.handler_environment():
        return check_examples("events", events.check, events.events(), examples, seconds)


def fuzz_tables(examples: int, seconds: float) -> Result:
    """Check generated tables and JSON lines."""
    return check_examples("tables", files.check_table, files.tables(), examples, seconds)


def fuzz_archives(examples: int, seconds: float) -> Result:
    """Check generated archives."""
    return check_examples("archives", files.check_archive, files.archives(), examples, seconds)


PARTS: dict[str, Callable[[int, float], Result]] = {
    "texts": fuzz_texts,
    "events": fuzz_events,
    "tables": fuzz_tables,
    "archives": fuzz_archives,
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
