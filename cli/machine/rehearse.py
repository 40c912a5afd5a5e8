"""The `verdict rehearse` command."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from rehearsal.rehearse import LEAST_REQUESTS, rehearse
from training.progress import table


@click.command("rehearse")
@click.option("--requests", type=click.IntRange(0), default=LEAST_REQUESTS, show_default=True, help="At least so many.")
def command(requests: int) -> None:
    """Play an endpoint's whole life on this machine: train, deploy, update, split, roll back, take down."""
    console = Console(soft_wrap=True)
    with TemporaryDirectory(prefix="verdict-rehearsal-") as folder:
        seconds, tally = rehearse(Path(folder), console, requests)
    console.rule("what was seen")
    console.print(table("Acts", [(name, f"{took:.0f} s") for name, took in seconds.items()]))
    rows: list[tuple[object, ...]] = [("requests", f"{tally.requests:,}"), ("failed", f"{tally.failed:,}")]
    rows += [(f"answered by variant {name}", f"{count:,}") for name, count in tally.variants.most_common()]
    rows += [(f"app of release {name}", f"{count:,}") for name, count in tally.releases.most_common()]
    console.print(table("People who asked", rows))
    console.print("Nothing is left in the account.")
