"""The XGBoost container's other half: channels and string hyperparameters -> a model, its log, or its error.

Source: `algorithm_mode/train.py`, `train_utils.py` and `callback.py` of github.com/aws/sagemaker-xgboost-container, for
image 3.0-5. Kept as they are there: early stopping is silently off without a validation channel or without a metric
that was named, fails the job with gblinear, and leaves the best rounds only; of metrics that a tuning job adds, the
order is alphabetical. Not simulated: cross-validation inside the container, GPUs, scripts, and the Debugger.

Checkpoints are as SageMaker documents them: `xgboost-checkpoint.N`, from which training goes on. The published source
of the newest images hands checkpointing over to xgboost's own callback, which writes `xgboost-checkpoint_0.ubj` once
and never finds it again: there, an interrupted job may begin anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import xgboost
from xgboost import collective

from simulator.container import channel_files
from simulator.container import hyperparameters as container_hyperparameters
from simulator.container.channel_files import Channel
from simulator.container.errors import TrainingFailedError, algorithm_error
from simulator.container.eval_metrics import MAXIMIZED, split_metrics
from simulator.container.hyperparameters import TUNING_METRIC

THREADS = 2  # unless the hyperparameters say otherwise; ml.m5.large has as many
_NOT_FOR_XGBOOST = ("num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "verbosity")
_USERS_FAULT = (  # parts of xgboost's messages
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "base_score must be in (0,1) for logistic loss",
)


@dataclass(frozen=True)
class Checkpoint:
    """A model after so many rounds."""

    rounds: int
    model: bytes


@dataclass(frozen=True)
class ContainerContext:
    """What a container finds around it. `log` takes the lines of its log; `now` tells the time.

    `ends` is asked after every round whether training must end at once. `saved` gets a checkpoint after every round:
    the number of rounds, and a function that gives the model so far. `start` is the checkpoint to go on from.
    """

    log: Callable[[str], None]
    now: Callable[[], datetime]
    ends: Callable[[], bool] = lambda: False
    saved: Callable[[int, Callable[[], bytes]], None] = lambda rounds, model: None
    start: Checkpoint | None = None

    def info(self, text: str) -> None:
        """Log a line as the container's logger writes it."""
        self.log(f"[{self.now():%Y-%m-%d:%H:%M:%S}:INFO] {text}")


@dataclass(frozen=True)
class Trained:
    """What training left: the model (UBJSON), None when it was ended and nothing was to be kept."""

    model: bytes | None
    ended_early: bool


@dataclass(frozen=True)
class Prepared:
    """Checked hyperparameters, and the matrices that were read, by channel: only those that hold any rows."""

    settings: dict[str, Any]
    matrices: dict[str, xgboost.DMatrix]
    metrics: list[str] = field(default_factory=list)  # those that were named, in the container's order
    watched: str | None = None  # the metric that stops training early


def train(channels: Sequence[Channel], stated: dict[str, str], around: ContainerContext) -> Trained:
    """Train on one host; raises `TrainingFailedError`."""
    prepared = prepare(channels, stated, around)
    for name, called in (("train", "training"), ("validation", "validation")):
        if name not in prepared.matrices and any(channel.name == name for channel in channels):
            raise TrainingFailedError(f"No data in {called} channel path {channel_files.ROOT}/{name}")
    around.info("Single node training.")
    return boost(prepared, around)


def prepare(channels: Sequence[Channel], stated: dict[str, str], around: ContainerContext) -> Prepared:
    """Check hyperparameters and channels, and read the latter; raises `TrainingFailedError`."""
    around.info("Imported framework sagemaker_xgboost_container.training")
    around.info("No GPUs detected (normal if no gpus installed)")
    around.info("Running XGBoost Sagemaker in algorithm mode")
    settings = container_hyperparameters.parse(stated)
    kind = channel_files.check(channels)
    around.info("Determined 0 GPU(s) available on the instance.")
    threads = settings.setdefault("nthread", THREADS)
    for channel in channels:
        channel_files.check_files(channel, kind, around.info)
    with xgboost.config_context(verbosity=0):
        read = {
            channel.name: channel_files.read(channel, kind, threads, around.info, settings.get("csv_weights") == 1)
            for channel in sorted(channels, key=lambda channel: channel.name)
        }
    named = settings.get("eval_metric", [])
    tuned = settings.pop(TUNING_METRIC, "").partition(":")[2]
    return Prepared(
        settings,
        {name: matrix for name, matrix in read.items() if matrix is not None},
        sorted({*named, tuned}) if tuned else named,
        tuned or (named[-1] if named else None),
    )


class _Rounds(xgboost.callback.TrainingCallback):
    """Logs every round, saves checkpoints, stops early where asked to, and ends training when it must.

    One callback, since xgboost calls several in no particular order and leaves out those after one that stops. All
    hosts end after the same round: the first decides.
    """

    def __init__(self, around: ContainerContext, stopping: xgboost.callback.EarlyStopping | None) -> None:
        super().__init__()
        self.ended = False
        self._around = around
        self._stopping = stopping

    def before_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Begin."""
        return self._stopping.before_training(model) if self._stopping else model

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Take the figures of a round; True ends training."""
        if collective.get_rank() == 0:
            figures = "".join(
                f"#011{split}-{metric}:{values[-1]:.5f}"
                for split, by_metric in evals_log.items()
                for metric, values in by_metric.items()
            )
            before = self._around.start.rounds if self._around.start else 0
            self._around.log(f"[{epoch}]{figures}")
            self._around.saved(before + epoch + 1, lambda: bytes(model.save_raw("ubj")))
        if self._stopping and self._stopping.after_iteration(model, epoch, evals_log):
            return True
        self.ended = bool(collective.broadcast(self._around.ends(), 0))
        return self.ended

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Cut the model to its best rounds where training stops early."""
        return self._stopping.after_training(model) if self._stopping and not self.ended else model


def boost(prepared: Prepared, around: ContainerContext) -> Trained:
    """Train on what was prepared; raises `TrainingFailedError` with xgboost's reason."""
    matrices = prepared.matrices
    around.info(f"Train matrix has {matrices['train'].num_row()} rows and {matrices['train'].num_col()} columns")
    if "validation" in matrices:
        around.info(f"Validation matrix has {matrices['validation'].num_row()} rows")
    if around.start:
        around.info(f"Resuming from iteration {around.start.rounds}")
    rounds = _Rounds(around, _stopping(prepared))
    with xgboost.config_context(verbosity=0):
        try:
            booster = _run(prepared, around, rounds)
        except (xgboost.core.XGBoostError, ValueError) as error:
            reason = str(error).partition("\nStack trace:")[0]  # what follows is about this machine
            if any(part in reason for part in _USERS_FAULT):
                raise TrainingFailedError(reason) from error
            raise algorithm_error(f"XGB train call failed with exception:\n {reason}") from error
    if rounds.ended and prepared.settings.get("save_model_on_termination") != "true":
        return Trained(None, True)
    return Trained(bytes(booster.save_raw("ubj")), rounds.ended)


def _stopping(prepared: Prepared) -> xgboost.callback.EarlyStopping | None:
    """Return what stops training early; None when the container, silently, does without."""
    rounds = prepared.settings.get("early_stopping_rounds")
    if not rounds or not prepared.watched or "validation" not in prepared.matrices:
        return None
    return xgboost.callback.EarlyStopping(
        rounds=rounds,
        data_name="validation",
        metric_name=prepared.watched,
        maximize=prepared.watched in MAXIMIZED,
        save_best=True,
    )


def _run(prepared: Prepared, around: ContainerContext, rounds: _Rounds) -> xgboost.Booster:
    """Call xgboost."""
    names, custom = split_metrics(prepared.metrics)
    taken = {name: value for name, value in prepared.settings.items() if name not in _NOT_FOR_XGBOOST}
    taken.pop("eval_metric", None)
    started = around.start
    return xgboost.train(
        taken | ({"eval_metric": names} if names else {}),
        prepared.matrices["train"],
        prepared.settings["num_round"] - (started.rounds if started else 0),
        evals=[(matrix, name) for name, matrix in prepared.matrices.items()],
        custom_metric=custom,
        callbacks=[rounds],
        xgb_model=bytearray(started.model) if started else None,
        verbose_eval=False,
    )
