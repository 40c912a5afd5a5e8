"""A run: a folder with a model, the vocabulary it reads, and a record of exactly how it was made."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.errors import SentimentError
from chalicelib.release import VOCABULARY_NAME
from chalicelib.vocabulary import Vocabulary
from chalicelib.vocabulary import load as load_vocabulary
from training import atomic

RUNS_FOLDER = Path("runs")
RECORD_NAME = "run.json"
MODEL_NAME = "xgboost-model"  # as the container names it
_RUN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_RESERVED = "channels"  # `prepare` writes its channels beside the runs


class RunError(SentimentError):
    """A run is absent, or its parts do not belong together."""

    type = "run-refused"
    title = "This run cannot be used"


@dataclass(frozen=True)
class Record:
    """How a model was made: all that decides it, and how it went.

    `hyperparameters` are strings as the container takes them. `versions` maps what computed it (python, xgboost) to
    its version. `rounds` is the number of boosting rounds kept; `history` is split -> metric -> one value a round,
    for every round that was run.
    """

    data_fingerprint: str
    vocabulary_fingerprint: str
    model_sha256: str
    hyperparameters: dict[str, str]
    versions: dict[str, str]
    rounds: int
    history: dict[str, dict[str, list[float]]]
    seconds: float


@dataclass(frozen=True)
class Run:
    """A run that was read whole: its folder, its record, its vocabulary and its model's bytes (UBJSON)."""

    folder: Path
    record: Record
    vocabulary: Vocabulary
    model: bytes


def run_folder(runs: Path, name: str) -> Path:
    """Return the folder of a run; raises `RunError` for a name that is no plain folder name."""
    if not _RUN_NAME.fullmatch(name) or name == _RESERVED:
        raise RunError(
            f"A run cannot be named {name!r}: use small letters, digits, dots and hyphens, not {_RESERVED!r}."
        )
    return runs / name


def write_run(folder: Path, record: Record, vocabulary: Vocabulary, model: bytes) -> None:
    """Write a run, its record last: until then a reader refuses the folder."""
    atomic.write_text(folder / VOCABULARY_NAME, vocabulary.dumps())
    atomic.write_bytes(folder / MODEL_NAME, model)
    atomic.write_text(folder / RECORD_NAME, json.dumps(asdict(record), indent=1) + "\n")


def load_run(folder: Path) -> Run:
    """Read a run; raises `RunError` unless its model and vocabulary are the ones its record describes."""
    again = "Run `python -m training train`."
    try:
        record = Record(**json.loads((folder / RECORD_NAME).read_text(encoding="utf-8")))
        model = (folder / MODEL_NAME).read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"There is no run in {folder} ({error}). {again}") from error
    vocabulary = load_vocabulary(folder / VOCABULARY_NAME)
    if vocabulary.fingerprint != record.vocabulary_fingerprint:
        raise RunError(f"{folder / VOCABULARY_NAME} is not the vocabulary this run was trained with. {again}")
    if hashlib.sha256(model).hexdigest() != record.model_sha256:
        raise RunError(f"{folder / MODEL_NAME} is not the model this run made. {again}")
    return Run(folder, record, vocabulary, model)
