"""Cross-validation results: mean learning curves, the best number of rounds, and the assembly of a run.

Shared by training on this machine and training on SageMaker.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import xgboost

from chalicelib.encoder import Encoder
from training.features.channels import CHANNEL_FILES, PreparedChannels, check_same_channels, load_prepared, pair_of
from training.model import missing_values
from training.model.channel_matrix import read_channel
from training.model.hyperparameters import MAXIMIZED, Hyperparameters
from training.model.run_folder import RunRecord, write_run

History = dict[str, dict[str, list[float]]]  # train or validation -> metric -> one value per round


class Channels(Protocol):
    """Prepared channels that were verified once: their record and their encoder."""

    @property
    def prepared(self) -> PreparedChannels:
        """The record."""

    @property
    def encoder(self) -> Encoder:
        """The encoder whose rows the channels have."""

    def validation_rows(self, fold: int) -> Iterator[xgboost.DMatrix]:
        """Yield the rows of a fold's validation channel, in order."""

    def check_unchanged(self) -> None:
        """Raise `DataError` if the channels were changed since they were verified."""


@dataclass(frozen=True)
class LocalChannels:
    """Channels in a folder of this machine."""

    folder: Path
    prepared: PreparedChannels
    encoder: Encoder

    @classmethod
    def load(cls, folder: Path) -> "LocalChannels":
        """Read a folder of channels; raises `DataError` if a file differs from the record."""
        return cls(folder, *load_prepared(folder))

    def validation_rows(self, fold: int) -> Iterator[xgboost.DMatrix]:
        """Yield the rows of a fold's validation channel."""
        yield read_channel(self.folder / pair_of(fold) / CHANNEL_FILES["validation"], 1)

    def check_unchanged(self) -> None:
        """Raise `DataError` if the folder has other channels now."""
        check_same_channels(self.folder, self.prepared)


@dataclass(frozen=True)
class TrainingResult:
    """The folder of a new run, and its record."""

    folder: Path
    record: RunRecord

    @property
    def best(self) -> dict[str, dict[str, float]]:
        """The mean figures of the best round: train or validation -> metric -> value."""
        return {
            split: {metric: values[self.record.rounds - 1] for metric, values in by_metric.items()}
            for split, by_metric in self.record.history.items()
        }


@dataclass(frozen=True)
class TrainedModels:
    """The models of a run (UBJSON): one for each fold, in order, and the final `model` of all reviews.

    A fold's tree model may have more than `rounds` rounds. `history` is the folds' mean, `versions` maps libraries to
    their versions.
    """

    folds: Sequence[bytes]
    history: History
    rounds: int
    model: bytes
    versions: dict[str, str]
    seconds: float


def mean_history(histories: Sequence[History]) -> History:
    """Average the folds' figures over every round that all folds ran."""
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
    """Return the best number of rounds, the smallest of equals."""
    return 1 + int(np.argmax(values) if metric in MAXIMIZED else np.argmin(values))


def assemble_run(
    channels: Channels, folder: Path, hyperparameters: Hyperparameters, models: TrainedModels
) -> TrainingResult:
    """Compute out-of-fold predictions, make the model invariant to missing words, and write the run into a folder.

    Raises `DataError` if the channels were changed since they were verified.
    """
    rounds = 0 if hyperparameters.is_linear else models.rounds  # 0: all rounds of the model
    held_out = json.dumps(
        [_out_of_fold_predictions(channels, fold, model, rounds) for fold, model in enumerate(models.folds)]
    ).encode()
    channels.check_unchanged()
    model = missing_values.make_missing_invariant(models.model, 0, channels.encoder.first_derived)
    record = RunRecord(
        prepared=channels.prepared,
        model_sha256=hashlib.sha256(model).hexdigest(),
        held_out_sha256=hashlib.sha256(held_out).hexdigest(),
        hyperparameters=hyperparameters.strings,
        versions=models.versions,
        rounds=models.rounds,
        history=models.history,
        seconds=round(models.seconds, 1),
    )
    write_run(folder, record, channels.encoder, model, held_out)
    return TrainingResult(folder, record)


def _out_of_fold_predictions(channels: Channels, fold: int, model: bytes, rounds: int) -> list[float]:
    """Score the validation channel of a fold with the fold's model, truncated to `rounds` rounds."""
    booster = xgboost.Booster(model_file=bytearray(model))
    return [
        round(float(probability), 7)
        for rows in channels.validation_rows(fold)
        for probability in booster.predict(rows, iteration_range=(0, rounds))
    ]
