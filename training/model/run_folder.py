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
from training.features.channels import PreparedChannels, read_encoder, write_ngram_table

RUNS_FOLDER = Path("runs")
RECORD_NAME = "run.json"
HELD_OUT_NAME = "held-out.json"
SEARCH_NAME = "search.json"  # ranges and trials, if a search found the hyperparameters
MODEL_NAME = "xgboost-model"  # as the container names it
_RUN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_RESERVED = "channels"  # the folder of `verdict prepare`, beside the runs


class RunError(SentimentError):
    """A run is absent, or its files do not match its record."""

    type = "run-refused"
    title = "This run cannot be used"


@dataclass(frozen=True)
class RunRecord:
    """How a model was trained: everything that decides it, and its learning curve.

    `hyperparameters` are the container's strings, `prepared` describes the channels, `versions` maps python and
    xgboost to versions. `rounds` is the number of boosting rounds with the best mean over the folds. `history` is train
    or validation -> metric -> mean over the folds, one value per round that all folds ran. `held_out_sha256` is the
    hash of the file of out-of-fold predictions.
    """

    prepared: PreparedChannels
    model_sha256: str
    held_out_sha256: str
    hyperparameters: dict[str, str]
    versions: dict[str, str]
    rounds: int
    history: dict[str, dict[str, list[float]]]
    seconds: float


@dataclass(frozen=True)
class Run:
    """A verified run: folder, record, encoder and model (UBJSON).

    `held_out` has the out-of-fold predictions: for each fold, the probability of each row of its validation channel.
    """

    folder: Path
    record: RunRecord
    encoder: Encoder
    model: bytes
    held_out: list[list[float]]


def run_folder(runs: Path, name: str) -> Path:
    """Return the folder of a run; raises `RunError` for a name that is not a plain folder name."""
    if name == _RESERVED:
        raise RunError(f"A run cannot be named {name!r}: `verdict prepare` uses that folder. Choose another name.")
    if not _RUN_NAME.fullmatch(name):
        raise RunError(
            f"A run cannot be named {name!r}. Use up to 63 lower-case letters, digits, dots, hyphens and underscores, "
            "starting with a letter or a digit."
        )
    return runs / name


def write_run(folder: Path, record: RunRecord, encoder: Encoder, model: bytes, held_out: bytes) -> None:
    """Write a run; the record comes last, so that readers refuse an incomplete folder."""
    atomic.write_text(folder / VOCABULARY_NAME, encoder.vocabulary.dumps())
    write_ngram_table(folder, encoder)
    atomic.write_bytes(folder / MODEL_NAME, model)
    atomic.write_bytes(folder / HELD_OUT_NAME, held_out)
    atomic.write_text(folder / RECORD_NAME, json.dumps(asdict(record), indent=1) + "\n")


def load_run(folder: Path) -> Run:
    """Read a run; raises `RunError` unless its files match its record."""
    advice = "Run `verdict train`."
    try:
        stated = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        record = RunRecord(**{**stated, "prepared": PreparedChannels(**stated["prepared"])})
        model = (folder / MODEL_NAME).read_bytes()
        held_out = (folder / HELD_OUT_NAME).read_bytes()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"There is no run in {folder} ({error}). {advice}") from error
    encoder = read_encoder(folder)
    if encoder.fingerprint != record.prepared.vocabulary_fingerprint:
        raise RunError(f"{folder / VOCABULARY_NAME} is not the vocabulary this run was trained with. {advice}")
    for name, content, sha256 in (
        (MODEL_NAME, model, record.model_sha256),
        (HELD_OUT_NAME, held_out, record.held_out_sha256),
    ):
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RunError(f"{folder / name} does not match the run's record. {advice}")
    return Run(folder, record, encoder, model, json.loads(held_out))
