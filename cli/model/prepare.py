"""The `verdict prepare` command."""

from pathlib import Path

import click
from rich.console import Console

from training.data.collect import DATA_FOLDER
from training.features.channels import ALL, CHANNEL_FILES, CHANNELS_FOLDER
from training.features.prepare import PRESETS, prepare
from training.progress import bars, table


@click.command(name="prepare")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=CHANNELS_FOLDER, show_default=True)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True)
def command(data: Path, into: Path, preset: str) -> None:
    """Choose the vocabulary, learn the evidence, and write the channels."""
    console = Console(stderr=True)
    with bars(console, "Counting terms", "Learning evidence", "Writing rows") as ticks:
        prepared = prepare(data, into, (ticks[0], ticks[1], ticks[2]), PRESETS[preset])
    learned_from = prepared.rows[f"{ALL}/{CHANNEL_FILES['train']}"]
    rows: list[tuple[object, ...]] = [(f"lines to learn from, {label}", f"{n:,}") for label, n in learned_from.items()]
    rows += [
        ("left out: text also in a later fold or test", f"{prepared.dropped:,}"),
        ("words", f"{prepared.words:,}"),
        ("terms of the evidence", f"{prepared.terms:,}"),
        ("vocabulary", prepared.vocabulary_fingerprint),
        ("seconds", f"{prepared.seconds:.0f}"),
    ]
    console.print(table(f"Channels in {into}", rows))
