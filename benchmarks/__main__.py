"""The benchmark of `make bench` (`python -m benchmarks`): all comparisons in one run, printed as tables."""

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
from benchmarks.reviews import WORDS, sample_reviews
from benchmarks.tutorial import word_columns
from chalicelib import release
from chalicelib.endpoint import endpoint_name
from simulator.endpoint.local_endpoint import LocalEndpoint, packaged_container


@dataclass(frozen=True)
class Repetitions:
    """The number of reviews, and of repetitions of each measurement."""

    reviews: int
    row_rounds: int
    handler_rounds: int
    explained_rounds: int
    cold_starts: int
    requests: int


FULL = Repetitions(
    reviews=100, row_rounds=30, handler_rounds=50, explained_rounds=20, cold_starts=20, requests=60
)  # about a minute
_YES_OR_NO = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}


def table_of(title: str, theirs: str, comparisons: Iterable[Comparison]) -> Table:
    """Return a table of comparisons: the medians, the gains by medians and by minima, and the limit of the gain."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    table.add_column("medians", min_width=30)
    for heading in ("Verdict", theirs, "gain", "by minima", "limit", "met"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in comparisons:
        medians = (_figure(statistics.median(values)) for values in (each.ours, each.theirs))
        limit = "" if each.limit is None else f"≥ {_gain(each.limit)}"
        gains = (_gain(each.ratio), _gain(each.ratio_of_minima))
        table.add_row(f"{each.label}, {each.unit}", *medians, *gains, limit, _YES_OR_NO[each.is_met])
    return table


def _figure(value: float) -> str:
    """Format a measurement: `9,999`, or three digits of a number below 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _gain(ratio: float) -> str:
    """Format how many times less Verdict takes, given the ratio of Verdict to the other: 0.12 -> `8.33x`."""
    return f"{1 / ratio:.3g}x"


def measure(console: Console, repetitions: Repetitions = FULL) -> None:
    """Run and print all measurements; an exceeded limit is printed, and is no failure."""
    encoder = release.load().encoder
    vocabulary = encoder.vocabulary
    column_of = word_columns(vocabulary)
    archive = os.environ.get("VERDICT_ARCHIVE")
    sample = sample_reviews(Path(archive) if archive else None, vocabulary, repetitions.reviews)
    console.print(f"{len(sample.texts)} reviews of about {WORDS} words, {sample.source};")
    console.print(f"{len(vocabulary):,} words in the release, {len(column_of):,} in the tutorial's vocabulary.")
    comparisons = rows.measure(sample.texts, encoder, column_of, repetitions.row_rounds)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEndpoint(endpoint_name(encoder.fingerprint), packaged_container()) as endpoint,
    ):
        comparisons += handler.measure(sample.texts, column_of, endpoint, repetitions.handler_rounds)
        console.print("", table_of("Beside the tutorial's function, warm", "tutorial", comparisons))
        explained = handler.measure_explained(sample.texts, endpoint, repetitions.explained_rounds)
        console.print("", table_of("An explained review, beside the same review without", "plain", explained))
        starts = cold_start.measure(endpoint, Path(folder), repetitions.cold_starts)
    console.print(
        "", table_of("Cold start, beside a bare handler: boto3, one client, one call", "bare", starts.comparisons)
    )
    _print_package(console, starts)
    console.print(
        "", table_of("make run, beside plain chalice local", "other", local_server.measure(repetitions.requests))
    )


def _print_package(console: Console, starts: cold_start.ColdStarts) -> None:
    """Print the time that loading the release takes and the size of the zip, each with its limit."""
    loads = starts.load_milliseconds
    is_fast = _YES_OR_NO[statistics.median(loads) <= cold_start.LONGEST_LOAD_MILLISECONDS]
    is_small = _YES_OR_NO[starts.zip_bytes < cold_start.LARGEST_ZIP_BYTES]
    console.print(
        f"\nRelease loaded, ms: {_figure(statistics.median(loads))} (least {_figure(min(loads))}); "
        f"limit: at most {cold_start.LONGEST_LOAD_MILLISECONDS}; met: {is_fast}"
    )
    console.print(
        f"The zip has {starts.zip_bytes / 1e6:.2f} MB; "
        f"limit: under {cold_start.LARGEST_ZIP_BYTES / 1e6:.0f}; met: {is_small}"
    )


if __name__ == "__main__":
    measure(Console())
