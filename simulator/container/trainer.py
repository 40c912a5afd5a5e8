"""The training half of the built-in XGBoost container: channels and hyperparameters -> model and log, or an error.

Source: `algorithm_mode/train.py`, `train_utils.py` and `callback.py` of github.com/aws/sagemaker-xgboost-container, for
image 3.0-5. Kept from there: early stopping is silently off without a validation channel or a named metric, fails the
job with gblinear, and keeps the best rounds only; the metrics are sorted if a tuning job adds one.
Not simulated: cross-validation inside the container, GPUs, scripts, and the Debugger.

Checkpoints follow SageMaker's documentation: `xgboost-checkpoint.N`, from which training resumes. The published source
of the newest images uses xgboost's own callback instead, which writes `xgboost-checkpoint_0.ubj` once and never finds
it again: there, an interrupted job may start over.
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

THREADS = 2  # the default, as on ml.m5.large
_NOT_FOR_XGBOOST = ("num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "verbosity")
_USER_ERRORS = (  # parts of xgboost's messages
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "base_score must be in (0,1) for logistic loss",
)


@dataclass(frozen=True)
class Checkpoint:
    """A model after a number of rounds."""

    rounds: int
    model: bytes


@dataclass(frozen=True)
class ContainerContext:
    """The environment of a container. `log` receives the lines of its log; `now` returns the time.

    `ends` reports after every round whether training must end. `saved` receives a checkpoint after every round: the
    number of rounds, and a function that returns the model. `start` is the checkpoint to resume from.
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
class TrainedModel:
    """The result: the model (UBJSON), None if training was ended and the model is not to be kept."""

    model: bytes | None
    ended_early: bool


@dataclass(frozen=True)
class TrainingSetup:
    """Parsed hyperparameters, and the matrices of the channels that have rows."""

    settings: dict[str, Any]
    matrices: dict[str, xgboost.DMatrix]
    metrics: list[str] = field(default_factory=list)  # in the container's order
    watched: str | None = None  # the metric of early stopping


def train(channels: Sequence[Channel], hyperparameters: dict[str, str], context: ContainerContext) -> TrainedModel:
    """Train on one host; raises `TrainingFailedError`."""
    prepared = prepare(channels, hyperparameters, context)
    for name, called in (("train", "training"), ("validation", "validation")):
        if name not in prepared.matrices and any(channel.name == name for channel in channels):
            raise TrainingFailedError(f"No data in {called} channel path {channel_files.ROOT}/{name}")
    context.info("Single node training.")
    return boost(prepared, context)


def prepare(channels: Sequence[Channel], hyperparameters: dict[str, str], context: ContainerContext) -> TrainingSetup:
    """Validate hyperparameters and channels, and load the channels; raises `TrainingFailedError`."""
    context.info("Imported framework sagemaker_xgboost_container.training")
    context.info("No GPUs detected (normal if no gpus installed)")
    context.info("Running XGBoost Sagemaker in algorithm mode")
    settings = container_hyperparameters.parse(hyperparameters)
    kind = channel_files.check(channels)
    context.info("Determined 0 GPU(s) available on the instance.")
    threads = settings.setdefault("nthread", THREADS)
    for channel in channels:
        channel_files.check_files(channel, kind, context.info)
    with xgboost.config_context(verbosity=0):
        read = {
            channel.name: channel_files.read(channel, kind, threads, context.info, settings.get("csv_weights") == 1)
            for channel in sorted(channels, key=lambda channel: channel.name)
        }
    named = settings.get("eval_metric", [])
    tuned = settings.pop(TUNING_METRIC, "").partition(":")[2]
    return TrainingSetup(
        settings,
        {name: matrix for name, matrix in read.items() if matrix is not None},
        sorted({*named, tuned}) if tuned else named,
        tuned or (named[-1] if named else None),
    )


class _Rounds(xgboost.callback.TrainingCallback):
    """Logs every round, saves checkpoints, and ends training: by early stopping, or on request.

    A single callback, because xgboost calls several in no particular order and skips those after the first that stops.
    The first host decides for all, so that they end after the same round.
    """

    def __init__(self, context: ContainerContext, stopping: xgboost.callback.EarlyStopping | None) -> None:
        super().__init__()
        self.ended = False
        self._context = context
        self._stopping = stopping

    def before_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Prepare early stopping."""
        return self._stopping.before_training(model) if self._stopping else model

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Process the metrics of a round; True ends training."""
        if collective.get_rank() == 0:
            figures = "".join(
                f"#011{split}-{metric}:{values[-1]:.5f}"
                for split, by_metric in evals_log.items()
                for metric, values in by_metric.items()
            )
            before = self._context.start.rounds if self._context.start else 0
            self._context.log(f"[{epoch}]{figures}")
            self._context.saved(before + epoch + 1, lambda: bytes(model.save_raw("ubj")))
        if self._stopping and self._stopping.after_iteration(model, epoch, evals_log):
            return True
        self.ended = bool(collective.broadcast(self._context.ends(), 0))
        return self.ended

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Keep only the best rounds after early stopping."""
        return self._stopping.after_training(model) if self._stopping and not self.ended else model


def boost(prepared: TrainingSetup, context: ContainerContext) -> TrainedModel:
    """Train on prepared inputs; raises `TrainingFailedError` with xgboost's reason."""
    matrices = prepared.matrices
    context.info(f"Train matrix has {matrices['train'].num_row()} rows and {matrices['train'].num_col()} columns")
    if "validation" in matrices:
        context.info(f"Validation matrix has {matrices['validation'].num_row()} rows")
    if context.start:
        context.info(f"Resuming from iteration {context.start.rounds}")
    rounds = _Rounds(context, _stopping(prepared))
    with xgboost.config_context(verbosity=0):
        try:
            booster = _run(prepared, context, rounds)
        except (xgboost.core.XGBoostError, ValueError) as error:
            reason = str(error).partition("\nStack trace:")[0]  # the rest concerns this machine
            if any(part in reason for part in _USER_ERRORS):
                raise TrainingFailedError(reason) from error
            raise algorithm_error(f"XGB train call failed with exception:\n {reason}") from error
    if rounds.ended and prepared.settings.get("save_model_on_termination") != "true":
        return TrainedModel(None, True)
    return TrainedModel(bytes(booster.save_raw("ubj")), rounds.ended)


def _stopping(prepared: TrainingSetup) -> xgboost.callback.EarlyStopping | None:
    """Return the early stopping; None where the container silently disables it."""
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


def _run(prepared: TrainingSetup, context: ContainerContext, rounds: _Rounds) -> xgboost.Booster:
    """Call xgboost."""
    names, custom = split_metrics(prepared.metrics)
    parameters = {name: value for name, value in prepared.settings.items() if name not in _NOT_FOR_XGBOOST}
    parameters.pop("eval_metric", None)
    started = context.start
    return xgboost.train(
        parameters | ({"eval_metric": names} if names else {}),
        prepared.matrices["train"],
        prepared.settings["num_round"] - (started.rounds if started else 0),
        evals=[(matrix, name) for name, matrix in prepared.matrices.items()],
        custom_metric=custom,
        callbacks=[rounds],
        xgb_model=bytearray(started.model) if started else None,
        verbose_eval=False,
    )
