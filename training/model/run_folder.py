"""A run: a folder with a model, the encoder whose rows it reads, and a record of exactly how it was made."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.encoder import Encoder
from chalicelib.errors import SentimentError
from chalicelib.release import VOCABULARY_NAME
from training import atomic
from training.features.channels import Prepared, read_encoder, write_ngram_table

RUNS_FOLDER = Path("runs")
RECORD_NAME = "run.json"
HELD_OUT_NAME = "held-out.json"
SEARCH_NAME = "search.json"  # of a run that a search found: the ranges and all trials, for people and reports
MODEL_NAME = "xgboost-model"  # as the container names it
_RUN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_RESERVED = "channels"  # `prepare` writes its channels beside the runs


class RunError(SentimentError):
    """A run is absent, or its parts do not belong together."""

    type = "run-refused"
    title = "This run cannot be used"


@dataclass(frozen=True)
class RunRecord:
    """How a model was made: all that decides it, and how it went.

    `hyperparameters` are strings as the container takes them. `prepared` says what was learned from. `versions` maps
    what computed it (python, xgboost) to its version. `rounds` is the number of boosting rounds, the best on average
    over the folds; `history` is train or validation -> metric -> its mean over the folds, one value a round, for every
    round that all folds ran; `held_out_sha256` is of the file of what the folds' models said of what they never saw.
    """

    prepared: Prepared
    model_sha256: str
    held_out_sha256: str
    hyperparameters: dict[str, str]
    versions: dict[str, str]
    rounds: int
    history: dict[str, dict[str, list[float]]]
    seconds: float


@dataclass(frozen=True)
class Run:
    """A run that was read whole: its folder, its record, its encoder and its model's bytes (UBJSON).

    `held_out` has, fold by fold, the probability of each line of the fold's validation channel, by a model that was
    trained without the fold.
    """

    folder: Path
    record: RunRecord
    encoder: Encoder
    model: bytes
    held_out: list[list[float]]


def run_folder(runs: Path, name: str) -> Path:
    """Return the folder of a run; raises `RunError` for a name that is no plain folder name."""
    if name == _RESERVED:
        raise RunError(f"A run cannot be named {name!r}: that is taken by step `prepare`. Choose another name.")
    if not _RUN_NAME.fullmatch(name):
        raise RunError(
            f"A run cannot be named {name!r}: use small letters, digits, dots, hyphens and underscores, 63 at most, "
            "and begin with a letter or a digit."
        )
    return runs / name


def write_run(folder: Path, record: RunRecord, encoder: Encoder, model: bytes, held_out: bytes) -> None:
    """Write a run, its record last: until then a reader refuses the folder."""
    atomic.write_text(folder / VOCABULARY_NAME, encoder.vocabulary.dumps())
    write_ngram_table(folder, encoder)
    atomic.write_bytes(folder / MODEL_NAME, model)
    atomic.write_bytes(folder / HELD_OUT_NAME, held_out)
    atomic.write_text(folder / RECORD_NAME, json.dumps(asdict(record), indent=1) + "\n")


def load_run(folder: Path) -> Run:
    """Read a run; raises `RunError` unless its parts are the ones its record describes."""
    again = "Run `verdict train`."
    try:
        stated = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        record = RunRecord(**{**stated, "prepared": Prepared(**stated["prepared"])})
        model = (folder / MODEL_NAME).read_bytes()
        held_out = (folder / HELD_OUT_NAME).read_bytes()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"There is no run in {folder} ({error}). {again}") from error
    encoder = read_encoder(folder)
    if encoder.fingerprint != record.prepared.vocabulary_fingerprint:
        raise RunError(f"{folder / VOCABULARY_NAME} is not the vocabulary this run was trained with. {again}")
    for name, content, sha256 in (
        (MODEL_NAME, model, record.model_sha256),
        (HELD_OUT_NAME, held_out, record.held_out_sha256),
    ):
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RunError(f"{folder / name} is not what this run made. {again}")
    return Run(folder, record, encoder, model, json.loads(held_out))
