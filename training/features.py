"""Step `prepare`: reviews -> the vocabulary, and the train and validation channels as the container takes them.

A channel is a folder with one file of libsvm lines: the label, then the row that the app would send for that review.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console

from chalicelib.release import VOCABULARY_NAME
from chalicelib.text import words
from chalicelib.vocabulary import Vocabulary
from chalicelib.vocabulary import load as load_vocabulary
from training import atomic
from training.data import DATA_FOLDER
from training.parallel import map_reviews
from training.progress import Tick, bars, silent, table
from training.reviews import LABEL_NAMES, REVIEWS_NAME, DataError, Review, read_manifest
from training.splits import Splits, assign, thinned
from training.terms import FREQUENT_WORDS, TERMS, choose, count_terms

CHANNELS_FOLDER = Path("runs/channels")
PREPARED_NAME = "prepared.json"
CHANNELS = {"train": "train/train.libsvm", "validation": "validation/validation.libsvm"}  # split -> file


@dataclass(frozen=True)
class Recipe:
    """What to prepare: so many terms, so many of them frequent words, from so many train reviews (None: all)."""

    terms: int = TERMS
    frequent_words: int = FREQUENT_WORDS
    reviews: int | None = None


DEFAULT_RECIPE = Recipe()
PRESETS = {
    "default": DEFAULT_RECIPE,
    "tutorial": Recipe(terms=5_000, frequent_words=5_000, reviews=15_000),  # its counts are presence here
}


@dataclass(frozen=True)
class Prepared:
    """What a folder of channels holds.

    `rows` is split -> label name -> rows, `channel_sha256` split -> SHA-256 of its file, `dropped` the reviews left
    out because a later split holds the same text.
    """

    data_fingerprint: str
    vocabulary_fingerprint: str
    terms: int
    rows: dict[str, dict[str, int]]
    dropped: int
    channel_sha256: dict[str, str]


def prepare(
    data_folder: Path,
    channels_folder: Path,
    count_tick: Tick = silent,
    row_tick: Tick = silent,
    recipe: Recipe = DEFAULT_RECIPE,
) -> Prepared:
    """Build the vocabulary on the train split, and write it and both channels; the facts about them come last."""
    manifest = read_manifest(data_folder)
    path = data_folder / REVIEWS_NAME
    splits = assign(path)
    dropped = len(splits.dropped)
    if recipe.reviews is not None:
        splits = thinned(path, splits, recipe.reviews)
    vocabulary = choose(count_terms(path, splits, count_tick), recipe.terms, recipe.frequent_words)
    (channels_folder / PREPARED_NAME).unlink(missing_ok=True)
    rows, sha256 = _write_channels(path, channels_folder, vocabulary, splits, row_tick)
    atomic.write_text(channels_folder / VOCABULARY_NAME, vocabulary.dumps())
    prepared = Prepared(manifest.fingerprint, vocabulary.fingerprint, len(vocabulary), rows, dropped, sha256)
    atomic.write_text(channels_folder / PREPARED_NAME, json.dumps(asdict(prepared), indent=2) + "\n")
    return prepared


def _write_channels(
    path: Path, folder: Path, vocabulary: Vocabulary, splits: Splits, tick: Tick
) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """Write both channels; returns rows by split and label name, and SHA-256 by split."""
    rows = {split: dict.fromkeys(LABEL_NAMES, 0) for split in CHANNELS}
    digests = {split: hashlib.sha256() for split in CHANNELS}
    with atomic.writing(folder / CHANNELS["train"]) as train, atomic.writing(folder / CHANNELS["validation"]) as held:
        files = {"train": train, "validation": held}
        for lines in map_reviews(_lines, path, (vocabulary, splits), tick):
            for split, label, line in lines:
                files[split].write(line)
                digests[split].update(line)
                rows[split][LABEL_NAMES[label]] += 1
    return rows, {split: digest.hexdigest() for split, digest in digests.items()}


def _lines(shared: tuple[Vocabulary, Splits], reviews: Iterator[Review]) -> list[tuple[str, int, bytes]]:
    """Return (split, label, line) for the reviews of a stretch that belong to a channel."""
    vocabulary, splits = shared
    placed = ((splits.of(review), review) for review in reviews)
    return [
        (split, review.label, f"{review.label} {vocabulary.row(words(review.text))}\n".encode())
        for split, review in placed
        if split in CHANNELS
    ]


def load_prepared(folder: Path) -> tuple[Prepared, Vocabulary]:
    """Read a folder of channels; raises `DataError` unless its files are the ones its facts describe."""
    again = "Run `python -m training prepare`."
    try:
        prepared = Prepared(**json.loads((folder / PREPARED_NAME).read_text(encoding="utf-8")))
        for split, name in CHANNELS.items():
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != prepared.channel_sha256[split]:
                    raise DataError(f"{folder / name} is not the file that was prepared. {again}")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"There are no prepared channels in {folder} ({error}). {again}") from error
    vocabulary = load_vocabulary(folder / VOCABULARY_NAME)
    if vocabulary.fingerprint != prepared.vocabulary_fingerprint:
        raise DataError(f"{folder / VOCABULARY_NAME} is not the vocabulary that was prepared. {again}")
    return prepared, vocabulary


@click.command(name="prepare")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=CHANNELS_FOLDER, show_default=True)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True)
def command(data: Path, into: Path, preset: str) -> None:
    """Choose the vocabulary and write the train and validation channels."""
    console = Console(stderr=True)
    started = time.monotonic()
    with bars(console, "Counting terms", "Writing rows") as (count_tick, row_tick):
        prepared = prepare(data, into, count_tick, row_tick, PRESETS[preset])
    rows: list[tuple[object, ...]] = [
        (f"{split}, {label}", f"{count:,}") for split, by in prepared.rows.items() for label, count in by.items()
    ]
    rows += [
        ("left out: text also in a later split", f"{prepared.dropped:,}"),
        ("terms", f"{prepared.terms:,}"),
        ("vocabulary", prepared.vocabulary_fingerprint),
        ("seconds", f"{time.monotonic() - started:.0f}"),
    ]
    console.print(table(f"Channels in {into}", rows))
