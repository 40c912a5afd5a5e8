"""The `verdict rehearse` command."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from rehearsal.rehearse import LEAST_REQUESTS, rehearse
from training.progress import table


@click.command("rehearse")
@click.option(
    "--requests",
    type=click.IntRange(0),
    default=LEAST_REQUESTS,
    show_default=True,
    help="Smallest number of simulated requests.",
)
def command(requests: int) -> None:
    """Rehearse an endpoint's whole life on the simulated AWS.

    Trains, deploys, updates, splits traffic, rolls back and tears down, under simulated traffic.
    """
    console = Console(soft_wrap=True)
    with TemporaryDirectory(prefix="verdict-rehearsal-") as folder:
        seconds, tally = rehearse(Path(folder), console, requests)
    console.rule("Results")
    console.print(table("Steps", [(name, f"{took:.0f} s") for name, took in seconds.items()]))
    rows: list[tuple[object, ...]] = [("requests", f"{tally.requests:,}"), ("failed", f"{tally.failed:,}")]
    rows += [(f"served by variant {name}", f"{count:,}") for name, count in tally.variants.most_common()]
    rows += [(f"served by release {name}", f"{count:,}") for name, count in tally.releases.most_common()]
    console.print(table("Simulated traffic", rows))
    console.print("Nothing is left in the account.")
