"""The command `python -m soak` (`make soak`)."""

import sys
import time

import click
from rich.console import Console

from soak.report import print_progress, print_report
from soak.run import Limits, run


@click.command()
@click.option("--requests", default=Limits.requests, show_default=True, type=click.IntRange(1), help="at most")
@click.option("--seconds", default=Limits.seconds, show_default=True, type=click.FloatRange(1), help="at most")
def main(requests: int, seconds: float) -> None:
    """Send requests to the packaged function while the endpoint fails in every way; exits with 1 on a wrong answer."""
    started = time.monotonic()
    console = Console(highlight=False)
    limits = Limits(requests=requests, seconds=seconds)
    tally = run(limits, on_round=lambda tally: print_progress(console, tally, time.monotonic() - started))
    print_report(console, tally, time.monotonic() - started)
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
