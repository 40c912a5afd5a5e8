"""The `verdict data` command."""

from pathlib import Path

import click
from rich.console import Console

from cli.options import json_option, label_column_option, review_column_option
from cli.output import print_json
from training.data.collect import (
    DATA_FOLDER,
    TREEBANK_URL,
    Additions,
    collect,
    collect_generated,
    collect_official,
    summary_rows,
)
from training.data.columns import ColumnChoice
from training.progress import bars, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="data")
@click.option("--archive", type=_FILE, help="A downloaded aclImdb_v1.tar.gz.")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder in the archive's layout."
)
@click.option("--download", is_flag=True, help="Download the official archive, as without any source.")
@click.option("--labelled", type=_FILE, multiple=True, help="Your own .csv, .tsv or .jsonl file; repeatable.")
@review_column_option
@label_column_option
@click.option(
    "--treebank", type=click.Path(exists=True, path_type=Path), help="A Sentiment Treebank: zip file or folder."
)
@click.option("--no-treebank", is_flag=True, help="Do not download the Sentiment Treebank with the archive.")
@click.option("--generated", type=click.IntRange(40), metavar="N", help="Synthetic reviews: 4 N, for rehearsals.")
@click.option("--drifted", is_flag=True, help="With --generated: new words, shorter, and mostly negative reviews.")
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
    download: bool,
    labelled: tuple[Path, ...],
    review_column: str | None,
    label_column: str | None,
    treebank: Path | None,
    no_treebank: bool,
    generated: int | None,
    drifted: bool,
    into: Path,
    as_json: bool,
) -> None:
    """Collect labelled reviews: download the official archive, or read your own files.

    The archive's unlabelled reviews and its lists of movies are read too, if it has them. The Sentiment Treebank, whose
    sentences and phrases teach short texts, is downloaded with the archive, or read with `--treebank`.

    Your own file needs a column of reviews (`review`, `text` or the like) and one of labels or ratings (`label`,
    `sentiment`, `rating`, `stars` or the like); other names can be chosen. It has no official test: all of it is used
    for training, with blocks of rows held out for validation. Several files are read as one. With `--archive`,
    `--folder` or `--download`, the rows of your files are short texts to learn from, and are not held out.
    """
    console = Console(stderr=True)
    given = [path for path in (archive, folder) if path]
    if len(given) + download + bool(generated) > 1:
        raise click.UsageError("Use only one of --archive, --folder, --download and --generated.")
    if not labelled and (review_column or label_column):
        raise click.UsageError("--review-column and --label-column need --labelled.")
    if drifted and not generated:
        raise click.UsageError("--drifted needs --generated.")
    if treebank and no_treebank:
        raise click.UsageError("Use only one of --treebank and --no-treebank.")
    if labelled and not given and not download and not generated:
        given, labelled = [labelled[0]], labelled[1:]
    notes: list[str] = []
    additions = Additions(treebank, labelled, ColumnChoice(review_column, label_column), notes.append)
    if generated:
        manifest = collect_generated(generated, into, additions, drifted)
    elif given:
        with bars(console, "Reading reviews") as (progress,):
            manifest = collect(given[0], into, tick=progress, additions=additions)
    else:
        url = None if treebank or no_treebank else TREEBANK_URL
        with bars(console, "Downloading", "Reading reviews") as (download_progress, progress):
            manifest = collect_official(into, download_progress, progress, treebank_url=url, additions=additions)
    for note in notes:
        console.print(note, markup=False, highlight=False)
    console.print(table(f"Labelled reviews in {into}", summary_rows(manifest)))
    if as_json:
        print_json(manifest)
