"""The `verdict data` command."""

from pathlib import Path

import click
from rich.console import Console

from cli.options import json_option
from cli.output import print_json
from training.data.collect import DATA_FOLDER, collect, collect_generated, collect_official, summary_rows
from training.progress import bars, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="data")
@click.option("--archive", type=_FILE, help="A downloaded aclImdb_v1.tar.gz.")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder in the archive's layout."
)
@click.option("--labelled", type=_FILE, help="Your own .csv or .jsonl file.")
@click.option("--generated", type=click.IntRange(40), metavar="N", help="Synthetic reviews: 4 N, for rehearsals.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA_FOLDER,
    show_default=True,
    help="Folder to write.",
)
@json_option
def command(
    archive: Path | None, folder: Path | None, labelled: Path | None, generated: int | None, into: Path, as_json: bool
) -> None:
    """Collect labelled reviews: download the official archive, or read your own files.

    A .csv or .jsonl file needs a column `review` or `text`, and `label` or `sentiment` (positive, pos, 1, negative,
    neg, 0). It has no official test: all of it is used for training, with blocks of rows held out for validation.
    """
    console = Console(stderr=True)
    given = [path for path in (archive, folder, labelled) if path]
    if len(given) + bool(generated) > 1:
        raise click.UsageError("Use only one of --archive, --folder, --labelled and --generated.")
    if generated:
        manifest = collect_generated(generated, into)
    elif given:
        with bars(console, "Reading reviews") as (progress,):
            manifest = collect(given[0], into, tick=progress)
    else:
        with bars(console, "Downloading", "Reading reviews") as (download_progress, progress):
            manifest = collect_official(into, download_progress, progress)
    console.print(table(f"Labelled reviews in {into}", summary_rows(manifest)))
    if as_json:
        print_json(manifest)
