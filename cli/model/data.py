"""The `verdict data` command."""

from pathlib import Path

import click
from rich.console import Console

from cli.options import json_option, label_column_option, review_column_option
from cli.output import print_json
from training.data.collect import DATA_FOLDER, collect, collect_generated, collect_official, summary_rows
from training.data.columns import ColumnChoice
from training.progress import bars, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="data")
@click.option("--archive", type=_FILE, help="A downloaded aclImdb_v1.tar.gz.")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder in the archive's layout."
)
@click.option("--labelled", type=_FILE, help="Your own .csv, .tsv or .jsonl file.")
@review_column_option
@label_column_option
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
    archive: Path | None,
    folder: Path | None,
    labelled: Path | None,
    review_column: str | None,
    label_column: str | None,
    generated: int | None,
    into: Path,
    as_json: bool,
) -> None:
    """Collect labelled reviews: download the official archive, or read your own files.

    Your own file needs a column of reviews (`review`, `text` or the like) and one of labels or ratings (`label`,
    `sentiment`, `rating`, `stars` or the like); other names can be chosen. It has no official test: all of it is used
    for training, with blocks of rows held out for validation.
    """
    console = Console(stderr=True)
    given = [path for path in (archive, folder, labelled) if path]
    if len(given) + bool(generated) > 1:
        raise click.UsageError("Use only one of --archive, --folder, --labelled and --generated.")
    if not labelled and (review_column or label_column):
        raise click.UsageError("--review-column and --label-column need --labelled.")
    notes: list[str] = []
    if generated:
        manifest = collect_generated(generated, into)
    elif given:
        with bars(console, "Reading reviews") as (progress,):
            manifest = collect(
                given[0],
                into,
                tick=progress,
                choice=ColumnChoice(review_column, label_column),
                note=notes.append,
            )
    else:
        with bars(console, "Downloading", "Reading reviews") as (download_progress, progress):
            manifest = collect_official(into, download_progress, progress)
    for note in notes:
        console.print(note, markup=False, highlight=False)
    console.print(table(f"Labelled reviews in {into}", summary_rows(manifest)))
    if as_json:
        print_json(manifest)
