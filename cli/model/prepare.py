"""The `verdict prepare` command."""

from pathlib import Path

import click
from rich.console import Console

from cli.options import data_option, json_option
from cli.output import print_json
from training.data.reviews import read_manifest
from training.features.channels import ALL, CHANNEL_FILES, CHANNELS_FOLDER
from training.features.prepare import PRESETS, prepare
from training.progress import bars, table


@click.command(name="prepare")
@data_option
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHANNELS_FOLDER,
    show_default=True,
    help="Folder to write.",
)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="default",
    show_default=True,
    help="`tutorial`: 5,000 words, no n-gram features, 15,000 reviews.",
)
@json_option
def command(data: Path, into: Path, preset: str, as_json: bool) -> None:
    """Build the vocabulary, learn the n-gram weights, and write the training channels."""
    read_manifest(data)  # fails before a progress bar is drawn
    console = Console(stderr=True)
    with bars(console, "Counting terms", "Learning weights", "Writing rows") as progress:
        prepared = prepare(data, into, (progress[0], progress[1], progress[2]), PRESETS[preset])
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
    if as_json:
        print_json(prepared)
