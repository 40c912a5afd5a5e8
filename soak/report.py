"""The tables of a soak test's results."""

from rich import box
from rich.console import Console
from rich.table import Table

from soak.cases import SHARES
from soak.faults import ENDPOINT_KILLED, MISCONFIGURATIONS, WORKER_KILLED, all_faults
from soak.tally import BARE, RIGHT, UNEXPLAINED, WRONG, Tally

_FLAT = {None: "too few samples to decide", True: "flat", False: "[red]not flat[/]"}


def print_report(console: Console, tally: Tally, seconds: float) -> None:
    """Print what was sent, how it was answered, the response times and the memory."""
    console.print(f"{tally.requests:,} requests in {seconds:,.0f} s, {tally.requests / seconds:,.0f} per second.")
    console.print("", _outcomes(tally), "", _times(tally), "")
    known = {*MISCONFIGURATIONS, ENDPOINT_KILLED, WORKER_KILLED, *(fault.name for fault in all_faults())}
    missing = sorted(known - tally.faults.keys())
    console.print(f"Faults: {len(tally.faults)} of {len(known)}, {sum(tally.faults.values()):,} times.")
    if missing:
        console.print(f"Not reached: {', '.join(missing)}. Run it for longer.")
    if tally.memory_bytes:
        first, last = tally.memory_bytes[0] / 1e6, tally.memory_bytes[-1] / 1e6
        growth = f"{tally.growth:+.1%} from the second quarter to the last"
        console.print(f"Memory of a worker: {first:.1f} MB, then {last:.1f} MB; {growth}: {_FLAT[tally.is_flat]}.")
    for example in tally.examples:
        console.print(example, style="red", markup=False)


def _outcomes(tally: Tally) -> Table:
    table = _table("outcome", "requests")
    for name in (RIGHT, WRONG, UNEXPLAINED):
        table.add_row(name, f"{tally.outcomes[name]:,}")
    for name, count in sorted(tally.outcomes.items()):
        if name not in (RIGHT, WRONG, UNEXPLAINED):
            table.add_row(f"problem {name}", f"{count:,}")
    return table


def _times(tally: Tally) -> Table:
    table = _table("without a fault, ms", "sent", "timed", "p50", "p99")
    for kind in (*SHARES, BARE):
        timed = len(tally.milliseconds.get(kind, ()))
        sent = f"{tally.kinds[kind]:,}" if kind != BARE else ""
        table.add_row(kind, sent, f"{timed:,}", *(f"{tally.percentile(kind, percent):.1f}" for percent in (50, 99)))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True, min_width=0 if number else 32)
    return table
