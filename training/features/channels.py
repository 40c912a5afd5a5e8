"""Prepared channels on disk: file names, the record `prepared.json`, and checked reading.

A channel is a folder. `verdict prepare` writes one file into it; on Spark it writes parts.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from chalicelib import ngram_features
from chalicelib import vocabulary as vocabulary_file
from chalicelib.encoder import Encoder
from chalicelib.errors import SentimentError
from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from training import atomic
from training.data.reviews import DataError
from training.data.splits import FOLDS

CHANNELS_FOLDER = Path("runs/channels")
PREPARED_NAME = "prepared.json"
ALL = "all"
CHANNEL_FILES = {"train": "train/train.libsvm", "validation": "validation/validation.libsvm"}
HERE, SPARK = "here", "spark"  # the engines of preparation
_PARTS = "part-*"
SEARCH_FOLD = FOLDS - 1  # the fold that scores the trials of a search
_RUN_PREPARE = "Run `verdict prepare`."


@dataclass(frozen=True)
class PreparedChannels:
    """The content of a folder of channels, as `prepared.json` stores it.

    `rows` is channel -> label name -> lines. `dropped` counts the reviews left out because a later fold or the test
    has the same text. `terms` counts the n-grams in the table; `strongest` lists those with the strongest weights,
    label name -> [text, weight]. `texts` counts what the n-gram weights were learned from, by kind. `channel_sha256`
    has every file of every channel: one with the channel's name, or the parts that Spark wrote beside it.
    """

    data_fingerprint: str
    vocabulary_fingerprint: str
    words: int
    terms: int
    strongest: dict[str, list[list[str | float]]]
    recipe: dict[str, int | bool | None]
    rows: dict[str, dict[str, int]]
    dropped: int
    seconds: float
    channel_sha256: dict[str, str]
    texts: dict[str, int] = field(default_factory=dict)
    engine: str = HERE

    def files_of(self, channel: str) -> list[str]:
        """Return the files of a channel, which is one of `channel_names()`; a channel on Spark has several."""
        folder = PurePosixPath(channel).parent
        return sorted(name for name in self.channel_sha256 if PurePosixPath(name).parent == folder)


def pair_of(fold: int) -> str:
    """Return the folder of the pair of channels that holds a fold out: 3 -> `fold-3`."""
    return f"fold-{fold}"


def channel_names() -> list[str]:
    """Return the files of all channels, relative to their folder."""
    pairs = [f"{pair_of(fold)}/{file}" for fold in range(FOLDS) for file in CHANNEL_FILES.values()]
    return [f"{ALL}/{CHANNEL_FILES['train']}", *pairs]


def part_name(channel: str, index: int) -> str:
    """Return the file of a part of a channel: `all/train/train.libsvm`, 3 -> `all/train/part-00003`."""
    return str(PurePosixPath(channel).with_name(f"part-{index:05d}"))


def files_at(channel: Path) -> list[Path]:
    """Return the files of a channel on this machine: the file itself, or else the parts in its folder."""
    return [channel] if channel.exists() else sorted(channel.parent.glob(_PARTS))


def remove_parts(folder: Path) -> None:
    """Delete the parts of all channels in a folder."""
    for channel in channel_names():
        for part in (folder / channel).parent.glob(_PARTS):
            part.unlink()


def write_ngram_table(folder: Path, encoder: Encoder) -> None:
    """Write an encoder's n-gram table into a folder, or remove an earlier table if the encoder has none."""
    if encoder.ngram_table:
        atomic.write_bytes(folder / NGRAM_TABLE_NAME, encoder.ngram_table.dumps())
    else:
        (folder / NGRAM_TABLE_NAME).unlink(missing_ok=True)


def load_prepared(folder: Path) -> tuple[PreparedChannels, Encoder]:
    """Read a folder of channels; raises `DataError` if a file differs from its record."""
    try:
        prepared = PreparedChannels(**json.loads((folder / PREPARED_NAME).read_text(encoding="utf-8")))
        if missing := [name for name in channel_names() if not prepared.files_of(name)]:
            raise KeyError(missing[0])
        for name, sha256 in prepared.channel_sha256.items():
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise DataError(f"{folder / name} was changed since it was prepared. {_RUN_PREPARE}")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"There are no prepared channels in {folder} ({error}). {_RUN_PREPARE}") from error
    encoder = read_encoder(folder)
    if encoder.fingerprint != prepared.vocabulary_fingerprint:
        changed = f"{folder / VOCABULARY_NAME} or {NGRAM_TABLE_NAME}"
        raise DataError(f"{changed} was changed since it was prepared. {_RUN_PREPARE}")
    return prepared, encoder


def check_same_channels(folder: Path, prepared: PreparedChannels) -> None:
    """Raise `DataError` if a folder no longer has the channels of this record, with which a step began."""
    try:
        present, _ = load_prepared(folder)
        same = _identity(present) == _identity(prepared)
    except SentimentError:
        same = False
    if not same:
        raise DataError(
            f"Other channels were prepared in {folder} during training, so the run would be of two data sets. "
            "Nothing was written. Train again."
        )


def _identity(prepared: PreparedChannels) -> tuple[str, str, dict[str, str]]:
    """Return what decides a model: the data, the encoder and the channels."""
    return prepared.data_fingerprint, prepared.vocabulary_fingerprint, prepared.channel_sha256


def read_encoder(folder: Path) -> Encoder:
    """Read the vocabulary of a folder and, if there is one, its n-gram table; raises `ReleaseError`."""
    table = ngram_features.load(folder / NGRAM_TABLE_NAME) if (folder / NGRAM_TABLE_NAME).exists() else None
    return Encoder(vocabulary_file.load(folder / VOCABULARY_NAME), table)
