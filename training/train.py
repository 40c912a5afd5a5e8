"""Step `train`: the prepared channels -> a model, by real xgboost, as the container would train it.

The container reads the same files and the same string hyperparameters. Early stopping watches the last metric on
validation, and only the best rounds are saved. With one seed and one number of threads, the same channels give the
same bytes.
"""

import hashlib
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import xgboost
from rich.console import Console

from training.features import CHANNELS, CHANNELS_FOLDER, load_prepared
from training.hyperparameters import PRESETS, Hyperparameters, parse, with_settings
from training.progress import Tick, bars, silent, table
from training.run_folder import MODEL_NAME, RUNS_FOLDER, Record, run_folder, write_run

DEFAULT_RUN = "default"
History = dict[str, dict[str, list[float]]]  # split -> metric -> one value a round


@dataclass(frozen=True)
class Trained:
    """What training gave: the folder it was written to and its record."""

    folder: Path
    record: Record

    @property
    def best(self) -> dict[str, dict[str, float]]:
        """The figures of the last round kept: split -> metric -> value."""
        return {
            split: {metric: values[self.record.rounds - 1] for metric, values in by_metric.items()}
            for split, by_metric in self.record.history.items()
        }


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
        latest = (f"{name} {values[-1]:.4f}" for name, values in evals_log["validation"].items())
        self._tick(epoch + 1, self._rounds, f"round {epoch + 1:,}, validation {' '.join(latest)}")
        return False


def train(channels: Path, folder: Path, stated: dict[str, str], tick: Tick = silent) -> Trained:
    """Train on prepared channels with string hyperparameters, and write the run into a folder."""
    hyperparameters = parse(stated)
    prepared, vocabulary = load_prepared(channels)
    started = time.monotonic()
    booster, history = fit(channels, hyperparameters, tick)
    model = bytes(booster.save_raw("ubj"))
    record = Record(
        data_fingerprint=prepared.data_fingerprint,
        vocabulary_fingerprint=prepared.vocabulary_fingerprint,
        model_sha256=hashlib.sha256(model).hexdigest(),
        hyperparameters=hyperparameters.stated,
        versions={"python": platform.python_version(), "xgboost": xgboost.__version__},
        rounds=booster.num_boosted_rounds(),
        history=history,
        seconds=round(time.monotonic() - started, 1),
    )
    write_run(folder, record, vocabulary, model)
    return Trained(folder, record)


def fit(
    channels: Path,
    hyperparameters: Hyperparameters,
    tick: Tick = silent,
    watchers: Sequence[xgboost.callback.TrainingCallback] = (),
) -> tuple[xgboost.Booster, History]:
    """Train on the channels; returns the booster, cut to its best rounds, and the figures of every round.

    `watchers` see every round before early stopping does.
    """
    threads = hyperparameters.booster["nthread"]
    matrices = [(_read(channels / name, threads), split) for split, name in CHANNELS.items()]
    watch = _Watch(hyperparameters.num_round, tick)
    callbacks: list[xgboost.callback.TrainingCallback] = [watch, *watchers]
    if hyperparameters.early_stopping_rounds:
        callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=hyperparameters.early_stopping_rounds,
                metric_name=hyperparameters.watched_metric,
                data_name="validation",
                save_best=True,
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
    """Train a model on the prepared channels, stopping early on validation."""
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    with bars(console, "Training") as (tick,):
        trained = train(channels, folder, with_settings(preset, settings), tick)
    record = trained.record
    rows: list[tuple[object, ...]] = [
        (f"{split} {metric}", f"{value:.4f}") for split, by in trained.best.items() for metric, value in by.items()
    ]
    rows += [
        ("rounds kept", f"{record.rounds:,} of {len(record.history['train'][next(iter(record.history['train']))]):,}"),
        ("model, MB", f"{(folder / MODEL_NAME).stat().st_size / 1e6:.1f}"),
        ("model SHA-256", record.model_sha256[:12]),
        ("seconds", f"{record.seconds:.0f}"),
    ]
    console.print(table(f"Run {folder}", rows))
