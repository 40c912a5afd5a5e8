"""The tables of a soak test's results."""

from rich import box
from rich.console import Console
from rich.table import Table

from soak.cases import SHARES
from soak.faults import ENDPOINT_KILLED, MISCONFIGURATIONS, WORKER_KILLED, all_faults
from soak.tally import BARE, CONSTANT, RIGHT, UNEXPLAINED, UNIQUE, WRONG, Memory, Tally

_FITS = {None: "too few requests to decide", True: "within the limits", False: "[red]too much growth[/]"}


def print_progress(console: Console, tally: Tally, seconds: float) -> None:
    """Print one line: requests, failures, and the memory of each measured worker after a number of its requests."""
    failed = tally.outcomes[WRONG] + tally.outcomes[UNEXPLAINED]
    memory = ", ".join(
        f"{samples[-1].bytes / 1e6:.1f} MB after {samples[-1].requests:,}" for samples in tally.memory.values()
    )
    console.print(f"{seconds:,.0f} s: {tally.requests:,} requests, {failed} failed; memory {memory}", soft_wrap=True)


def print_report(console: Console, tally: Tally, seconds: float) -> None:
    """Print what was sent, how it was answered, the response times and the memory."""
    console.print(f"{tally.requests:,} requests in {seconds:,.0f} s, {tally.requests / seconds:,.0f} per second.")
    console.print("", _outcomes(tally), "", _times(tally), "")
    known = {*MISCONFIGURATIONS, ENDPOINT_KILLED, WORKER_KILLED, *(fault.name for fault in all_faults())}
    missing = sorted(known - tally.faults.keys())
    console.print(f"Faults: {len(tally.faults)} of {len(known)}, {sum(tally.faults.values()):,} times.")
    if missing:
        console.print(f"Not reached: {', '.join(missing)}. Run it for longer.")
    console.print("", _memory(tally), f"Memory: {_FITS[tally.memory_fits]}.")
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


def _memory(tally: Tally) -> Table:
    table = _table("memory of a worker", "requests", "first, MB", "last, MB", "bytes/request")
    for name in (UNIQUE, CONSTANT):
        samples = tally.memory[name] or [Memory(0, 0)]
        megabytes = (f"{each.bytes / 1e6:.1f}" for each in (samples[0], samples[-1]))
        table.add_row(name, f"{samples[-1].requests:,}", *megabytes, f"{tally.bytes_per_request(name):.0f}")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True, min_width=0 if number else 32)
    return table
