"""The `verdict prepare` command."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from cli.options import json_option
from cli.output import print_json
from cli.spark import engine_options, refuse_without_spark, session_of
from training.data.collect import DATA_FOLDER
from training.data.reviews import read_manifest
from training.features.channels import ALL, CHANNEL_FILES, CHANNELS_FOLDER, SPARK, PreparedChannels
from training.features.prepare import PRESETS, prepare
from training.progress import bars, table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_STEPS = ("Counting terms", "Learning weights", "Writing rows")


@click.command(name="prepare")
@click.option(
    "--data",
    type=click.Path(file_okay=False),
    default=str(DATA_FOLDER),
    show_default=True,
    help="Folder that `verdict data` wrote; on Spark also a Hadoop path such as s3://bucket/data.",
)
@click.option(
    "--into",
    type=click.Path(file_okay=False),
    default=str(CHANNELS_FOLDER),
    show_default=True,
    help="Folder to write; on Spark also a Hadoop path.",
)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="default",
    show_default=True,
    help="`tutorial`: 5,000 words, no n-gram features, 15,000 reviews.",
)
@engine_options
@click.option(
    "--shards", type=click.IntRange(1), help="Parts of each train channel.  [default: one per processor of Spark]"
)
@json_option
def command(
    data: str,
    into: str,
    preset: str,
    engine: str,
    master: str | None,
    settings: tuple[str, ...],
    shards: int | None,
    as_json: bool,
) -> None:
    """Build the vocabulary, learn the n-gram weights, and write the training channels.

    On Apache Spark the result is the same, for more reviews than one machine can prepare in time.
    Channels are then folders of parts, which `verdict train` takes as they are.
    """
    refuse_without_spark(engine, "shards")
    console = Console(stderr=True)
    if engine == SPARK:
        prepared = _prepare_on_spark(console, data, into, preset, session_of(master, settings), shards)
    else:
        read_manifest(Path(data))  # fails before a progress bar is drawn
        with bars(console, *_STEPS) as progress:
            prepared = prepare(Path(data), Path(into), (progress[0], progress[1], progress[2]), PRESETS[preset])
    _report(console, prepared, into)
    if as_json:
        print_json(prepared)


def _prepare_on_spark(
    console: Console,
    data: str,
    into: str,
    preset: str,
    opening: "AbstractContextManager[SparkSession]",
    shards: int | None,
) -> PreparedChannels:
    """Prepare on Spark; the session starts before a progress bar is drawn, since its start prints lines."""
    from training.spark.prepare import prepare_on_spark

    with opening as session, bars(console, *_STEPS) as progress:
        ticks = (progress[0], progress[1], progress[2])
        return prepare_on_spark(session, data, into, ticks, PRESETS[preset], shards=shards)


def _report(console: Console, prepared: PreparedChannels, into: str) -> None:
    """Print what was written."""
    train_rows = prepared.rows[f"{ALL}/{CHANNEL_FILES['train']}"]
    rows: list[tuple[object, ...]] = [(f"training rows, {label}", f"{n:,}") for label, n in train_rows.items()]
    rows += [
        ("dropped: text also in a later fold or test", f"{prepared.dropped:,}"),
        ("words", f"{prepared.words:,}"),
        ("n-gram terms", f"{prepared.terms:,}"),
        ("vocabulary", prepared.vocabulary_fingerprint),
        ("seconds", f"{prepared.seconds:.0f}"),
    ]
    console.print(table(f"Channels in {into}", rows))
