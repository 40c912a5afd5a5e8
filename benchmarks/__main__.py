"""`python -m benchmarks`, which is `make bench`: everything measured, in one run, as tables of ratios."""

import os
import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import cold_start, handler, local_server, rows
from benchmarks.comparison import Comparison
from benchmarks.reviews import WORDS, sample
from benchmarks.tutorial import word_columns
from chalicelib import release
from chalicelib.endpoint import endpoint_name
from simulator.server import LocalEndpoint, packaged_container


@dataclass(frozen=True)
class Sizes:
    """How often each thing is measured."""

    reviews: int
    row_rounds: int
    handler_rounds: int
    cold_starts: int
    requests: int


FULL = Sizes(reviews=100, row_rounds=30, handler_rounds=50, cold_starts=20, requests=60)  # about a minute
_VERDICT_OF = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}


def table_of(title: str, theirs: str, comparisons: Iterable[Comparison]) -> Table:
    """Lay comparisons out, a line each: medians, the ratio of medians and of minima, and what was promised."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    table.add_column("medians", min_width=30)
    for heading in ("Verdict", theirs, "ratio", "minima", "limit", "holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in comparisons:
        medians = (_figure(statistics.median(values)) for values in (each.ours, each.theirs))
        promised = "" if each.limit is None else f"≤ {_ratio(each.limit)}"
        ratios = (_ratio(each.ratio), _ratio(each.ratio_of_minima))
        table.add_row(f"{each.what}, {each.unit}", *medians, *ratios, promised, _VERDICT_OF[each.holds])
    return table


def _figure(value: float) -> str:
    """Write a measurement: `9,999`, or three digits of a small one."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(ratio: float) -> str:
    """Write a ratio: `1.12`, or `1/8.3` where it is below one."""
    return f"{ratio:.2f}" if ratio >= 0.995 else f"1/{1 / ratio:.3g}"


def measure(console: Console, sizes: Sizes = FULL) -> None:
    """Measure everything and print it; what does not hold is printed, and is not a failure."""
    encoder = release.load().encoder
    vocabulary = encoder.vocabulary
    column_of = word_columns(vocabulary)
    archive = os.environ.get("VERDICT_ARCHIVE")
    taken = sample(Path(archive) if archive else None, vocabulary, sizes.reviews)
    console.print(f"{len(taken.texts)} reviews of about {WORDS} words, {taken.source};")
    console.print(f"{len(vocabulary):,} words in the release, {len(column_of):,} in the tutorial's vocabulary.")
    compared = rows.measure(taken.texts, encoder, column_of, sizes.row_rounds)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEndpoint(endpoint_name(encoder.fingerprint), packaged_container()) as endpoint,
    ):
        compared += handler.measure(taken.texts, column_of, endpoint, sizes.handler_rounds)
        console.print("", table_of("Beside the tutorial's function, warm", "tutorial", compared))
        starts = cold_start.measure(endpoint, Path(folder), sizes.cold_starts)
    console.print("", table_of("Cold, beside a bare handler: boto3, one client, one call", "bare", starts.comparisons))
    _tell_of_package(console, starts)
    console.print("", table_of("make run, beside plain chalice local", "other", local_server.measure(sizes.requests)))


def _tell_of_package(console: Console, starts: cold_start.ColdStarts) -> None:
    """Print the time that loading the release takes and the size of the zip, each with what was promised."""
    loads = starts.load_milliseconds
    swift = _VERDICT_OF[statistics.median(loads) <= cold_start.LONGEST_LOAD_MILLISECONDS]
    fits = _VERDICT_OF[starts.zip_bytes < cold_start.LARGEST_ZIP_BYTES]
    console.print(
        f"\nRelease loaded, ms: {_figure(statistics.median(loads))} (least {_figure(min(loads))}); "
        f"promised: at most {cold_start.LONGEST_LOAD_MILLISECONDS}; holds: {swift}"
    )
    console.print(
        f"The zip has {starts.zip_bytes / 1e6:.2f} MB; "
        f"promised: under {cold_start.LARGEST_ZIP_BYTES / 1e6:.0f}; holds: {fits}"
    )


if __name__ == "__main__":
    measure(Console())
