"""Step `train`: the prepared channels -> a model, by real xgboost, as the container would train it.

The container reads the same files and the same string hyperparameters. First a model is trained on each of the five
pairs of channels, side by side; the number of rounds that is best on average over what they were not trained on is the
one that the model of all reviews is trained for. With one seed and one number of threads, the same channels give the
same bytes.
"""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from training.data.splits import FOLDS
from training.features.channels import ALL, CHANNEL_FILES, load_prepared, pair_of
from training.model.cross_validation import (
    History,
    TrainedModels,
    TrainingResult,
    assemble_run,
    best_round,
    mean_history,
    read_channel,
)
from training.model.hyperparameters import Hyperparameters, for_rounds, parse
from training.model.run_folder import MODEL_NAME
from training.parallel import map_items
from training.progress import ProgressCallback, silent

DEFAULT_RUN = "default"
_ALL_FILE = f"{ALL}/{CHANNEL_FILES['train']}"
_FEW_LINES = 2_000  # below so many, more processes cost more than they bring


@dataclass(frozen=True)
class Fold:
    """What one fold's model made of it: the model's bytes (UBJSON, all rounds that were run) and its history."""

    model: bytes
    history: History


class _Watch(xgboost.callback.TrainingCallback):
    """Passes the figures of every round on, and keeps them."""

    def __init__(self, rounds: int, tick: ProgressCallback) -> None:
        super().__init__()
        self.history: History = {}
        self._rounds = rounds
        self._tick = tick

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Take the figures of a round; False, so that training goes on."""
        self.history = evals_log
        latest = (f"{name} {values[-1]:.4f}" for name, values in list(evals_log.values())[-1].items())
        self._tick(epoch + 1, self._rounds, f"round {epoch + 1:,}, {list(evals_log)[-1]} {' '.join(latest)}")
        return False


def train(
    channels: Path,
    folder: Path,
    stated: dict[str, str],
    fold_tick: ProgressCallback = silent,
    tick: ProgressCallback = silent,
) -> TrainingResult:
    """Train on prepared channels with string hyperparameters, and write the run into a folder."""
    hyperparameters = parse(stated)
    prepared, _ = load_prepared(channels)
    started = time.monotonic()
    alone = sum(prepared.rows[_ALL_FILE].values()) < _FEW_LINES
    folds = cross_validate(channels, hyperparameters, fold_tick, alone)
    history = mean_history([fold.history for fold in folds])
    rounds = best_round(history["validation"][hyperparameters.watched_metric], hyperparameters.watched_metric)
    if hyperparameters.is_linear and rounds < hyperparameters.num_round:
        folds = cross_validate(channels, parse(for_rounds(stated, rounds)), fold_tick, alone)
    made = TrainedModels(
        folds=[fold.model for fold in folds],
        history=history,
        rounds=rounds,
        model=bytes(_fit_all(channels, hyperparameters, rounds, tick).save_raw("ubj")),
        versions={"python": platform.python_version(), "xgboost": xgboost.__version__},
        seconds=time.monotonic() - started,
    )
    return assemble_run(channels, folder, hyperparameters, made)


def cross_validate(
    channels: Path, hyperparameters: Hyperparameters, tick: ProgressCallback = silent, alone: bool = False
) -> list[Fold]:
    """Train a model on every pair of channels, several at a time."""
    shared = (channels, hyperparameters.stated)
    return list(map_items(_fit_fold, range(FOLDS), shared, tick, alone))


def _fit_fold(shared: tuple[Path, dict[str, str]], fold: int) -> Fold:
    """Train on one pair of channels."""
    channels, stated = shared
    booster, history = fit(channels / pair_of(fold), parse(stated), cut=False)
    return Fold(bytes(booster.save_raw("ubj")), history)


def _fit_all(channels: Path, hyperparameters: Hyperparameters, rounds: int, tick: ProgressCallback) -> xgboost.Booster:
    """Train on all reviews for a number of rounds."""
    rows = read_channel(channels / _ALL_FILE, hyperparameters.booster["nthread"])
    watch = _Watch(rounds, tick)
    return xgboost.train(
        hyperparameters.booster, rows, rounds, evals=[(rows, "train")], callbacks=[watch], verbose_eval=False
    )


def fit(
    pair: Path,
    hyperparameters: Hyperparameters,
    tick: ProgressCallback = silent,
    watchers: Sequence[xgboost.callback.TrainingCallback] = (),
    cut: bool = True,
) -> tuple[xgboost.Booster, History]:
    """Train on a pair of channels; returns the booster, `cut` to its best rounds, and the figures of every round.

    `watchers` see every round before early stopping does.
    """
    threads = hyperparameters.booster["nthread"]
    matrices = [(read_channel(pair / name, threads), split) for split, name in CHANNEL_FILES.items()]
    watch = _Watch(hyperparameters.num_round, tick)
    callbacks: list[xgboost.callback.TrainingCallback] = [watch, *watchers]
    if hyperparameters.early_stopping_rounds:
        callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=hyperparameters.early_stopping_rounds,
                metric_name=hyperparameters.watched_metric,
                data_name="validation",
                save_best=cut,
            )
        )
    booster = xgboost.train(
        hyperparameters.booster,
        matrices[0][0],
        hyperparameters.num_round,
        evals=matrices,
        callbacks=callbacks,
        verbose_eval=False,
    )
    return booster, {split: dict(by_metric) for split, by_metric in watch.history.items()}


def summary_rows(trained: TrainingResult, seconds: str = "seconds") -> list[tuple[object, ...]]:
    """Return the lines of the summary table."""
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
