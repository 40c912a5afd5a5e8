"""What training gave, wherever it was done, and how it becomes a run.

Five folds' models and the figures of their rounds say how many rounds are best; one model of all reviews is trained for
as many. Here is what is done with them, the same for models that were trained here and on SageMaker.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xgboost

from training.features.channels import CHANNEL_FILES, load_prepared, pair_of
from training.model import missing_values
from training.model.hyperparameters import MAXIMIZED, Hyperparameters
from training.model.run_folder import RunRecord, write_run

History = dict[str, dict[str, list[float]]]  # train or validation -> metric -> one value a round


@dataclass(frozen=True)
class TrainingResult:
    """What training gave: the folder it was written to and its record."""

    folder: Path
    record: RunRecord

    @property
    def best(self) -> dict[str, dict[str, float]]:
        """The figures of the last round kept, on average over the folds: train or validation -> metric -> value."""
        return {
            split: {metric: values[self.record.rounds - 1] for metric, values in by_metric.items()}
            for split, by_metric in self.record.history.items()
        }


@dataclass(frozen=True)
class TrainedModels:
    """What makes a run: the folds' models in their order, the figures of their rounds, and the model of all reviews.

    Models are bytes (UBJSON), as training left them. A fold's may hold more than the `rounds` that are best, if it is
    made of trees. `versions` says what computed it all, name -> version.
    """

    folds: Sequence[bytes]
    history: History
    rounds: int
    model: bytes
    versions: dict[str, str]
    seconds: float


def mean_history(histories: Sequence[History]) -> History:
    """Average the folds' figures of each round that all of them ran."""
    return {
        split: {
            metric: np.mean(list(zip(*(history[split][metric] for history in histories), strict=False)), axis=1)
            .round(6)
            .tolist()
            for metric in by_metric
        }
        for split, by_metric in histories[0].items()
    }


def best_round(values: Sequence[float], metric: str) -> int:
    """Return how many rounds are best, the fewest of equals."""
    return 1 + int(np.argmax(values) if metric in MAXIMIZED else np.argmin(values))


def assemble_run(channels: Path, folder: Path, hyperparameters: Hyperparameters, made: TrainedModels) -> TrainingResult:
    """Judge what was held out by the folds' models, make the model level, and write the run into a folder."""
    prepared, encoder = load_prepared(channels)
    rounds = 0 if hyperparameters.is_linear else made.rounds  # 0: all there are
    said = [_judge(channels, fold, model, rounds) for fold, model in enumerate(made.folds)]
    held_out = json.dumps(said).encode()
    model = missing_values.make_missing_invariant(made.model, 0, encoder.first_derived)
    record = RunRecord(
        prepared=prepared,
        model_sha256=hashlib.sha256(model).hexdigest(),
        held_out_sha256=hashlib.sha256(held_out).hexdigest(),
        hyperparameters=hyperparameters.stated,
        versions=made.versions,
        rounds=made.rounds,
        history=made.history,
        seconds=round(made.seconds, 1),
    )
    write_run(folder, record, encoder, model, held_out)
    return TrainingResult(folder, record)


def _judge(channels: Path, fold: int, model: bytes, rounds: int) -> list[float]:
    """Return what a fold's model, cut to so many rounds, says of every line of the fold."""
    booster = xgboost.Booster(model_file=bytearray(model))
    lines = read_channel(channels / pair_of(fold) / CHANNEL_FILES["validation"], 1)
    said = booster.predict(lines, iteration_range=(0, rounds))
    return [round(float(probability), 7) for probability in said]


def read_channel(channel: Path, threads: int) -> xgboost.DMatrix:
    """Read a channel under another name: xgboost takes no `;`, `?` or `#` in a path, and no letter beyond ASCII."""
    with TemporaryDirectory() as folder:
        plain = shutil.copy(channel, Path(folder) / "channel.libsvm")
        return xgboost.DMatrix(f"{plain}?format=libsvm", nthread=threads)
