"""Model training on prepared channels, with real xgboost, as the container trains.

The container reads the same files and the same string hyperparameters. First, a model is trained on each of the five
pairs of channels, in parallel. The number of rounds with the best mean on their validation channels is the number of
rounds of the final model, which is trained on all reviews. The same channels, seed and number of threads give the same
bytes.
"""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from training import locks
from training.data.splits import FOLDS
from training.features.channels import ALL, CHANNEL_FILES, pair_of
from training.model.channel_matrix import read_channel
from training.model.cross_validation import (
    History,
    LocalChannels,
    TrainedModels,
    TrainingResult,
    assemble_run,
    best_round,
    mean_history,
)
from training.model.hyperparameters import Hyperparameters, for_rounds, parse
from training.model.run_folder import MODEL_NAME
from training.parallel import map_items
from training.progress import ProgressCallback, silent

DEFAULT_RUN = "default"
_ALL_FILE = f"{ALL}/{CHANNEL_FILES['train']}"
_SMALL = 2_000  # rows; below, additional processes cost more than they gain


@dataclass(frozen=True)
class Fold:
    """One fold's model (UBJSON, with all rounds that ran) and its figures."""

    model: bytes
    history: History


class _HistoryCallback(xgboost.callback.TrainingCallback):
    """Stores the figures of every round, and reports progress."""

    def __init__(self, rounds: int, progress: ProgressCallback) -> None:
        super().__init__()
        self.history: History = {}
        self._rounds = rounds
        self._progress = progress

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Store and report a round's figures; returns False to continue."""
        self.history = evals_log
        latest = (f"{name} {values[-1]:.4f}" for name, values in list(evals_log.values())[-1].items())
        self._progress(epoch + 1, self._rounds, f"round {epoch + 1:,}, {list(evals_log)[-1]} {' '.join(latest)}")
        return False


def train(
    channels: Path,
    folder: Path,
    strings: dict[str, str],
    fold_progress: ProgressCallback = silent,
    progress: ProgressCallback = silent,
) -> TrainingResult:
    """Cross-validate, train on all reviews, and write the run into a folder.

    `strings` are the container's hyperparameters. Raises `HyperparameterError`, `DataError`, or `InUseError` if another
    command is using a folder.
    """
    hyperparameters = parse(strings)
    with locks.writing(folder), locks.reading(channels):
        return _train(channels, folder, hyperparameters, fold_progress, progress)


def _train(
    channels: Path,
    folder: Path,
    hyperparameters: Hyperparameters,
    fold_progress: ProgressCallback,
    progress: ProgressCallback,
) -> TrainingResult:
    """Cross-validate and train, in locked folders."""
    verified = LocalChannels.load(channels)
    started = time.monotonic()
    one_process = sum(verified.prepared.rows[_ALL_FILE].values()) < _SMALL
    folds = cross_validate(channels, hyperparameters, fold_progress, one_process)
    history = mean_history([fold.history for fold in folds])
    rounds = best_round(history["validation"][hyperparameters.watched_metric], hyperparameters.watched_metric)
    if hyperparameters.is_linear and rounds < hyperparameters.num_round:
        folds = cross_validate(channels, parse(for_rounds(hyperparameters.strings, rounds)), fold_progress, one_process)
    models = TrainedModels(
        folds=[fold.model for fold in folds],
        history=history,
        rounds=rounds,
        model=bytes(_fit_all(channels, hyperparameters, rounds, progress).save_raw("ubj")),
        versions={"python": platform.python_version(), "xgboost": xgboost.__version__},
        seconds=time.monotonic() - started,
    )
    return assemble_run(verified, folder, hyperparameters, models)


def cross_validate(
    channels: Path, hyperparameters: Hyperparameters, progress: ProgressCallback = silent, one_process: bool = False
) -> list[Fold]:
    """Train a model on each pair of channels, in parallel unless `one_process`."""
    shared = (channels, hyperparameters.strings)
    return list(map_items(_fit_fold, range(FOLDS), shared, progress, one_process))


def _fit_fold(shared: tuple[Path, dict[str, str]], fold: int) -> Fold:
    """Train on one pair of channels."""
    channels, strings = shared
    booster, history = fit(channels / pair_of(fold), parse(strings), truncate=False)
    return Fold(bytes(booster.save_raw("ubj")), history)


def _fit_all(
    channels: Path, hyperparameters: Hyperparameters, rounds: int, progress: ProgressCallback
) -> xgboost.Booster:
    """Train on all reviews for a fixed number of rounds."""
    rows = read_channel(channels / _ALL_FILE, hyperparameters.booster["nthread"])
    callback = _HistoryCallback(rounds, progress)
    return xgboost.train(
        hyperparameters.booster, rows, rounds, evals=[(rows, "train")], callbacks=[callback], verbose_eval=False
    )


def fit(
    pair: Path,
    hyperparameters: Hyperparameters,
    progress: ProgressCallback = silent,
    callbacks: Sequence[xgboost.callback.TrainingCallback] = (),
    truncate: bool = True,
) -> tuple[xgboost.Booster, History]:
    """Train on a pair of channels; returns the booster and the figures of every round.

    With `truncate`, the booster keeps its best rounds only. `callbacks` run before early stopping in each round.
    """
    threads = hyperparameters.booster["nthread"]
    matrices = [(read_channel(pair / name, threads), split) for split, name in CHANNEL_FILES.items()]
    history = _HistoryCallback(hyperparameters.num_round, progress)
    all_callbacks: list[xgboost.callback.TrainingCallback] = [history, *callbacks]
    if hyperparameters.early_stopping_rounds:
        all_callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=hyperparameters.early_stopping_rounds,
                metric_name=hyperparameters.watched_metric,
                data_name="validation",
                save_best=truncate,
            )
        )
    booster = xgboost.train(
        hyperparameters.booster,
        matrices[0][0],
        hyperparameters.num_round,
        evals=matrices,
        callbacks=all_callbacks,
        verbose_eval=False,
    )
    return booster, {split: dict(by_metric) for split, by_metric in history.history.items()}


def summary_rows(trained: TrainingResult, seconds: str = "seconds") -> list[tuple[object, ...]]:
    """Return the rows of the summary table."""
    record = trained.record
    rows: list[tuple[object, ...]] = [
        (f"{split} {metric}, mean of {FOLDS} folds", f"{value:.4f}")
        for split, by in trained.best.items()
        for metric, value in by.items()
    ]
    return [
        *rows,
        ("rounds", f"{record.rounds:,}"),
        ("model, MB", f"{(trained.folder / MODEL_NAME).stat().st_size / 1e6:.1f}"),
        ("model SHA-256", record.model_sha256[:12]),
        (seconds, f"{record.seconds:.0f}"),
    ]
