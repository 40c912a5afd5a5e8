"""`train --on sagemaker`: the recipe of a local run, each of its trainings a job on SageMaker.

First every pair of channels gets a job that stops early. Their logs have the figures of every round, whose mean says
how many rounds are best. Then one job trains on all reviews for as many. A model that stopped early holds its own best
rounds only, which may be fewer than those best on average; such a fold is trained again, at the same time, for just
those. So what is held out is judged by the same models as in a local run, and the run is the same. (Logs round figures
to five digits: where two rounds are as good as equal, another one may win.)
"""

import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xgboost

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.watching import RESUME
from operations.jobs.channel_upload import upload_channels
from operations.jobs.job_log import JobLog
from operations.jobs.job_progress import follow
from operations.jobs.run_jobs import RunJobs, TrainingOptions, items, later, propose_training
from operations.jobs.training_job import JobResources, TrainingJob
from training import atomic
from training.data.splits import FOLDS
from training.features.channels import load_prepared
from training.model import container_image as images
from training.model.cross_validation import (
    History,
    TrainedModels,
    TrainingResult,
    assemble_run,
    best_round,
    mean_history,
)
from training.model.hyperparameters import Hyperparameters, parse
from training.progress import bars

JOBS_NAME = "jobs.json"  # in the run's folder: the jobs that made it
_LOG_TRIES = 30  # a log's last lines may come some seconds after a job's end
_LOG_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class _Fold:
    """What a fold's job made: its model (UBJSON) of so many rounds, and the figures of all that were run."""

    model: bytes
    rounds: int
    history: History


def train_there(
    aws: Aws,
    channels: Path,
    folder: Path,
    stated: dict[str, str],
    order: TrainingOptions,
) -> TrainingResult:
    """Train on SageMaker and write the run into a folder; what an earlier call had begun is gone on with.

    Raises `AwsError`, `StoppedWaitingError` on Ctrl-C, `DeclinedError`, `DataError` and `HyperparameterError`.
    """
    hyperparameters = parse(stated)
    prepared, _ = load_prepared(channels)
    recipe = RunJobs(aws.account, prepared, hyperparameters, order)
    metric = hyperparameters.watched_metric
    first = [recipe.fold(number) for number in range(FOLDS)]
    asked = any(job.status != "Completed" for job in first)
    if asked:
        propose_training(aws, order, [*items(aws, order, first), *later(aws, order)])
        _upload(aws, channels, order)
        follow(aws, first, order.parallel, metric)
    folds = [_read_fold(aws, job, hyperparameters) for job in first]
    history = mean_history([fold.history for fold in folds])
    rounds = best_round(history["validation"][metric], metric)
    again = {number: recipe.again(number, rounds) for number in _too_short(folds, rounds, hyperparameters)}
    last = [recipe.all(rounds), *again.values()]
    if not asked and any(not job.status for job in last):
        propose_training(aws, order, items(aws, order, last))
        _upload(aws, channels, order)
    follow(aws, last, order.parallel, metric)
    made = TrainedModels(
        folds=[again[n].model(aws.account) if n in again else fold.model for n, fold in enumerate(folds)],
        history=history,
        rounds=rounds,
        model=last[0].model(aws.account),
        versions=_versions(order.machines),
        seconds=float(sum(job.billable_seconds for job in [*first, *last])),
    )
    trained = assemble_run(channels, folder, hyperparameters, made)
    _write_jobs(folder, [*first, *last])
    return trained


def _upload(aws: Aws, channels: Path, order: TrainingOptions) -> None:
    with bars(aws.console, "Uploading") as (tick,):
        upload_channels(aws, channels, order.machines.instance_count, tick)


def _read_fold(aws: Aws, job: TrainingJob, hyperparameters: Hyperparameters) -> _Fold:
    """Fetch what a fold's job made; raises `AwsError` when its log does not tell of every round."""
    model = job.model(aws.account)
    rounds = xgboost.Booster(model_file=bytearray(model)).num_boosted_rounds()
    ran = hyperparameters.num_round
    if hyperparameters.early_stopping_rounds:
        ran = min(ran, rounds + hyperparameters.early_stopping_rounds)
    return _Fold(model, rounds, whole_history(job.log, ran, hyperparameters.watched_metric, aws.pause))


def whole_history(log: JobLog, rounds: int, metric: str, pause: Callable[[float], None]) -> History:
    """Read a log until it has the figures of so many rounds; raises `AwsError` when it never does."""
    for _ in range(_LOG_TRIES):
        log.read()
        if len(log.history.get("validation", {}).get(metric, ())) == rounds:
            return log.history
        pause(_LOG_PAUSE_SECONDS)
    raise AwsError(
        f"The log of {log.job} does not tell of all its {rounds:,} rounds. Perhaps it was deleted, or the role may not "
        f"write logs: verdict doctor checks that. Remove the job's model from the bucket, and {RESUME} "
        "trains it again.",
        "log-incomplete",
    )


def _too_short(folds: Sequence[_Fold], rounds: int, hyperparameters: Hyperparameters) -> list[int]:
    """Return the folds whose model cannot be cut to so many rounds: it has fewer, or is linear and has others."""
    wrong = operator.ne if hyperparameters.is_linear else operator.lt
    return [number for number, fold in enumerate(folds) if wrong(fold.rounds, rounds)]


def _versions(machines: JobResources) -> dict[str, str]:
    """Return what computed a run."""
    return {
        "sagemaker image": f"{images.REPOSITORY}:{images.TAG}",
        "xgboost": images.TAG.replace("-", "."),
        "machines": f"{machines.instance_count} x {machines.instance_type}",
    }


def _write_jobs(folder: Path, jobs: Sequence[TrainingJob]) -> None:
    """Write which jobs made a run."""
    facts = {
        job.work.label: {
            "job": job.name,
            "billable_seconds": job.billable_seconds,
            "model": job.told["ModelArtifacts"]["S3ModelArtifacts"],
        }
        for job in jobs
    }
    atomic.write_text(folder / JOBS_NAME, json.dumps(facts, indent=1) + "\n")
