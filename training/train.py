"""Step `train`: the prepared channels -> a model, by real xgboost, as the container would train it.

The container reads the same files and the same string hyperparameters. First a model is trained on each of the five
pairs of channels, side by side; the number of rounds that is best on average over what they were not trained on is the
one that the model of all reviews is trained for. With one seed and one number of threads, the same channels give the
same bytes.
"""

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import xgboost
from rich.console import Console

from training import gaps
from training.channels import ALL, CHANNEL_FILES, CHANNELS_FOLDER, load_prepared, pair_of
from training.hyperparameters import MAXIMIZED, PRESETS, Hyperparameters, parse, with_settings
from training.parallel import map_items
from training.progress import Tick, bars, silent, table
from training.run_folder import MODEL_NAME, RUNS_FOLDER, Record, run_folder, write_run
from training.splits import FOLDS

DEFAULT_RUN = "default"
History = dict[str, dict[str, list[float]]]  # train or validation -> metric -> one value a round
_ALL_FILE = f"{ALL}/{CHANNEL_FILES['train']}"
_FEW_LINES = 2_000  # below so many, more processes cost more than they bring


@dataclass(frozen=True)
class Trained:
    """What training gave: the folder it was written to and its record."""

    folder: Path
    record: Record

    @property
    def best(self) -> dict[str, dict[str, float]]:
        """The figures of the last round kept, on average over the folds: train or validation -> metric -> value."""
        return {
            split: {metric: values[self.record.rounds - 1] for metric, values in by_metric.items()}
            for split, by_metric in self.record.history.items()
        }


@dataclass(frozen=True)
class Fold:
    """What one fold's model made of it: the model's bytes (UBJSON, all rounds that were run) and its history."""

    model: bytes
    history: History


class _Watch(xgboost.callback.TrainingCallback):
    """Passes the figures of every round on, and keeps them."""

    def __init__(self, rounds: int, tick: Tick) -> None:
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
    channels: Path, folder: Path, stated: dict[str, str], fold_tick: Tick = silent, tick: Tick = silent
) -> Trained:
    """Train on prepared channels with string hyperparameters, and write the run into a folder."""
    hyperparameters = parse(stated)
    prepared, encoder = load_prepared(channels)
    started = time.monotonic()
    folds = cross_validate(
        channels, hyperparameters, fold_tick, alone=sum(prepared.rows[_ALL_FILE].values()) < _FEW_LINES
    )
    history = mean_history([fold.history for fold in folds])
    rounds = best_round(history["validation"][hyperparameters.watched_metric], hyperparameters.watched_metric)
    held_out = json.dumps([_judge(channels, fold, model.model, rounds) for fold, model in enumerate(folds)]).encode()
    trained = _fit_all(channels, hyperparameters, rounds, tick)
    model = gaps.level(bytes(trained.save_raw("ubj")), 0, encoder.first_derived)
    record = Record(
        prepared=prepared,
        model_sha256=hashlib.sha256(model).hexdigest(),
        held_out_sha256=hashlib.sha256(held_out).hexdigest(),
        hyperparameters=hyperparameters.stated,
        versions={"python": platform.python_version(), "xgboost": xgboost.__version__},
        rounds=rounds,
        history=history,
        seconds=round(time.monotonic() - started, 1),
    )
    write_run(folder, record, encoder, model, held_out)
    return Trained(folder, record)


def cross_validate(
    channels: Path, hyperparameters: Hyperparameters, tick: Tick = silent, alone: bool = False
) -> list[Fold]:
    """Train a model on every pair of channels, several at a time."""
    shared = (channels, hyperparameters.stated)
    return list(map_items(_fit_fold, range(FOLDS), shared, tick, alone))


def _fit_fold(shared: tuple[Path, dict[str, str]], fold: int) -> Fold:
    """Train on one pair of channels."""
    channels, stated = shared
    booster, history = fit(channels / pair_of(fold), parse(stated), cut=False)
    return Fold(bytes(booster.save_raw("ubj")), history)


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


def _judge(channels: Path, fold: int, model: bytes, rounds: int) -> list[float]:
    """Return what a fold's model, cut to so many rounds, says of every line of the fold."""
    booster = xgboost.Booster(model_file=bytearray(model))
    lines = _read(channels / pair_of(fold) / CHANNEL_FILES["validation"], 1)
    said = booster.predict(lines, iteration_range=(0, rounds))
    return [round(float(probability), 7) for probability in said]


def _fit_all(channels: Path, hyperparameters: Hyperparameters, rounds: int, tick: Tick) -> xgboost.Booster:
    """Train on all reviews for a number of rounds."""
    rows = _read(channels / _ALL_FILE, hyperparameters.booster["nthread"])
    watch = _Watch(rounds, tick)
    return xgboost.train(
        hyperparameters.booster, rows, rounds, evals=[(rows, "train")], callbacks=[watch], verbose_eval=False
    )


def fit(
    pair: Path,
    hyperparameters: Hyperparameters,
    tick: Tick = silent,
    watchers: Sequence[xgboost.callback.TrainingCallback] = (),
    cut: bool = True,
) -> tuple[xgboost.Booster, History]:
    """Train on a pair of channels; returns the booster, `cut` to its best rounds, and the figures of every round.

    `watchers` see every round before early stopping does.
    """
    threads = hyperparameters.booster["nthread"]
    matrices = [(_read(pair / name, threads), split) for split, name in CHANNEL_FILES.items()]
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


def _read(channel: Path, threads: int) -> xgboost.DMatrix:
    """Read a channel under another name: xgboost takes no `;`, `?` or `#` in a path, and no letter beyond ASCII."""
    with TemporaryDirectory() as folder:
        plain = shutil.copy(channel, Path(folder) / "channel.libsvm")
        return xgboost.DMatrix(f"{plain}?format=libsvm", nthread=threads)


@click.command(name="train")
@click.option(
    "--channels", type=click.Path(file_okay=False, path_type=Path), default=CHANNELS_FOLDER, show_default=True
)
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter in place of the preset's."
)
def command(channels: Path, name: str, preset: str, settings: tuple[str, ...]) -> None:
    """Train a model on all reviews, for as many rounds as five-fold cross-validation finds best."""
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    with bars(console, "Cross-validating", "Training") as (fold_tick, tick):
        trained = train(channels, folder, with_settings(preset, settings), fold_tick, tick)
    record = trained.record
    rows: list[tuple[object, ...]] = [
        (f"{split} {metric}, mean of {FOLDS} folds", f"{value:.4f}")
        for split, by in trained.best.items()
        for metric, value in by.items()
    ]
    rows += [
        ("rounds", f"{record.rounds:,}"),
        ("model, MB", f"{(folder / MODEL_NAME).stat().st_size / 1e6:.1f}"),
        ("model SHA-256", record.model_sha256[:12]),
        ("seconds", f"{record.seconds:.0f}"),
    ]
    console.print(table(f"Run {folder}", rows))
