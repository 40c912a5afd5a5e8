"""The prepared channels as they lie in a folder: what the files are called, the facts about them, and reading them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from chalicelib import ngram_features
from chalicelib import vocabulary as vocabulary_file
from chalicelib.encoder import Encoder
from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from training import atomic
from training.data.reviews import DataError
from training.data.splits import FOLDS

CHANNELS_FOLDER = Path("runs/channels")
PREPARED_NAME = "prepared.json"
ALL = "all"
CHANNEL_FILES = {"train": "train/train.libsvm", "validation": "validation/validation.libsvm"}
JUDGED_PAIR = FOLDS - 1  # the pair that single trials of a search are judged on


@dataclass(frozen=True)
class Prepared:
    """What a folder of channels holds.

    `rows` is channel -> label name -> lines; `dropped` are the reviews left out because a later place holds the same
    text; `terms` are those of the evidence, `strongest` the ones that say most, label name -> (term, weight).
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


def pair_of(fold: int) -> str:
    """Name the folder of the pair of channels that holds this fold out: 3 -> `fold-3`."""
    return f"fold-{fold}"


def channel_names() -> list[str]:
    """Name the files of all channels, relative to their folder."""
    pairs = [f"{pair_of(fold)}/{file}" for fold in range(FOLDS) for file in CHANNEL_FILES.values()]
    return [f"{ALL}/{CHANNEL_FILES['train']}", *pairs]


def write_ngram_table(folder: Path, encoder: Encoder) -> None:
    """Write an encoder's evidence into a folder; remove what another one left there when it has none."""
    if encoder.ngram_table:
        atomic.write_bytes(folder / NGRAM_TABLE_NAME, encoder.ngram_table.dumps())
    else:
        (folder / NGRAM_TABLE_NAME).unlink(missing_ok=True)


def load_prepared(folder: Path) -> tuple[Prepared, Encoder]:
    """Read a folder of channels; raises `DataError` unless its files are the ones its facts describe."""
    again = "Run `verdict prepare`."
    try:
        prepared = Prepared(**json.loads((folder / PREPARED_NAME).read_text(encoding="utf-8")))
        for name in channel_names():
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != prepared.channel_sha256[name]:
                    raise DataError(f"{folder / name} is not the file that was prepared. {again}")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"There are no prepared channels in {folder} ({error}). {again}") from error
    encoder = read_encoder(folder)
    if encoder.fingerprint != prepared.vocabulary_fingerprint:
        raise DataError(f"{folder / VOCABULARY_NAME} or {NGRAM_TABLE_NAME} is not what was prepared. {again}")
    return prepared, encoder


def read_encoder(folder: Path) -> Encoder:
    """Read the vocabulary of a folder, and the evidence where there is some; raises `ReleaseError`."""
    evidence = ngram_features.load(folder / NGRAM_TABLE_NAME) if (folder / NGRAM_TABLE_NAME).exists() else None
    return Encoder(vocabulary_file.load(folder / VOCABULARY_NAME), evidence)
