"""The `verdict data` command."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from cli.options import json_option, label_column_option, refuse, review_column_option
from cli.output import notes_shown, print_json
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
from training.data.reviews import Manifest
from training.progress import bars, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="data")
@click.option("--archive", type=_FILE, help="A downloaded aclImdb_v1.tar.gz.")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder in the archive's layout."
)
@click.option("--download", is_flag=True, help="Download the official archive, as without any source.")
@click.option(
    "--labelled", type=_FILE, multiple=True, help="Your own .csv, .tsv or .jsonl file, also with .gz; repeatable."
)
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
    console, own = Console(stderr=True), archive or folder
    _check_options((archive, folder, download, generated), labelled, generated, treebank, no_treebank)
    if labelled and not (own or download or generated):
        own, labelled = labelled[0], labelled[1:]
    with notes_shown(console) as note:
        additions = Additions(treebank, labelled, ColumnChoice(review_column, label_column), note)
        if generated:
            manifest = collect_generated(generated, into, additions, drifted)
        else:
            manifest = _collect(own, into, additions, not no_treebank, console)
    console.print(table(f"Labelled reviews in {into}", summary_rows(manifest)))
    if as_json:
        print_json(manifest)


def _check_options(
    sources: Sequence[object],
    labelled: Sequence[Path],
    generated: int | None,
    treebank: Path | None,
    no_treebank: bool,
) -> None:
    """Raise `click.UsageError` for options that do not go together."""
    if sum(map(bool, sources)) > 1:
        raise click.UsageError("Use only one of --archive, --folder, --download and --generated.")
    if not labelled:
        refuse("needs --labelled.", "review_column", "label_column")
    if not generated:
        refuse("needs --generated.", "drifted")
    if treebank and no_treebank:
        raise click.UsageError("Use only one of --treebank and --no-treebank.")


def _collect(own: Path | None, into: Path, additions: Additions, with_treebank: bool, console: Console) -> Manifest:
    """Read an archive, a folder or a file, or download the official archive, with progress bars."""
    if own:
        with bars(console, "Reading reviews") as (progress,):
            return collect(own, into, tick=progress, additions=additions)
    url = TREEBANK_URL if with_treebank and not additions.treebank else None
    with bars(console, "Downloading", "Reading reviews") as (download, progress):
        return collect_official(into, download, progress, treebank_url=url, additions=additions)
