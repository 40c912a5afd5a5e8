"""The `verdict rehearse` command."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from rehearsal.scenario import MIN_REQUESTS, rehearse
from simulator.processes import exit_on_signals
from training.progress import table


@click.command("rehearse")
@click.option(
    "--requests",
    type=click.IntRange(0),
    default=MIN_REQUESTS,
    show_default=True,
    help="Smallest number of simulated requests.",
)
def command(requests: int) -> None:
    """Rehearse an endpoint's whole life on the simulated AWS.

    Trains, deploys, updates, splits traffic, rolls back and tears down, under simulated traffic.
    """
    console = Console(soft_wrap=True)
    with exit_on_signals(), TemporaryDirectory(prefix="verdict-rehearsal-") as folder:
        seconds, counts = rehearse(Path(folder), console, requests)
    console.rule("Results")
    console.print(table("Steps", [(name, f"{took:.0f} s") for name, took in seconds.items()]))
    rows: list[tuple[object, ...]] = [("requests", f"{counts.requests:,}"), ("failed", f"{counts.failed:,}")]
    rows += [(f"served by variant {name}", f"{count:,}") for name, count in counts.variants.most_common()]
    rows += [(f"served by release {name}", f"{count:,}") for name, count in counts.releases.most_common()]
    console.print(table("Simulated traffic", rows))
    console.print("Nothing is left in the account.")
