"""The `verdict data` command."""

from pathlib import Path

import click
from rich.console import Console

from training.data.collect import DATA_FOLDER, collect, collect_generated, collect_official, summary_rows
from training.progress import bars, table


@click.command(name="data")
@click.option(
    "--archive", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="aclImdb_v1.tar.gz, already here."
)
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder in its layout.")
@click.option(
    "--labelled", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own .csv or .jsonl."
)
@click.option("--generated", type=click.IntRange(40), metavar="N", help="4 N made-up reviews, to rehearse with.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
def command(
    archive: Path | None, folder: Path | None, labelled: Path | None, generated: int | None, into: Path
) -> None:
    """Get labelled reviews: the official archive is downloaded unless you name what you have.

    A .csv or .jsonl file needs a column `review` or `text`, and `label` or `sentiment` (positive, pos, 1, negative,
    neg, 0). It has no official test: all of it is for training, with blocks of rows held out for validation.
    """
    console = Console(stderr=True)
    given = [path for path in (archive, folder, labelled) if path]
    if len(given) + bool(generated) > 1:
        raise click.UsageError("Name one of --archive, --folder, --labelled and --generated.")
    if generated:
        manifest = collect_generated(generated, into)
    elif given:
        with bars(console, "Reading reviews") as (tick,):
            manifest = collect(given[0], into, tick=tick)
    else:
        with bars(console, "Downloading", "Reading reviews") as (fetch_tick, tick):
            manifest = collect_official(into, fetch_tick, tick)
    console.print(table(f"Labelled reviews in {into}", summary_rows(manifest)))
