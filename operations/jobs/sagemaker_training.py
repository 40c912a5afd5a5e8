"""`train --on sagemaker`: the same training as on this machine, each model trained by a SageMaker job.

1. Every fold is trained by a job that stops early. The mean of the folds' metrics gives the best number of rounds.
2. A final job trains on all reviews for that number of rounds. A model that stopped early holds only its own best
   rounds. If they are fewer than the best number, that fold is trained again for this number, at the same time.
3. The run is assembled from the models. Its held-out predictions come from the same models as in a local run, so the
   run is the same. (Logs round metrics to five digits: of two rounds that are nearly equal, another one may be best.)
"""

import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xgboost

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.watching import RESUME, resumable
from operations.jobs.job_log import JobLog
from operations.jobs.job_progress import follow_jobs
from operations.jobs.run_jobs import (
    JobOptions,
    RunJobs,
    confirm_and_upload,
    job_items,
    later_items,
    uploaded_channels,
)
from operations.jobs.s3_channels import open_channels
from operations.jobs.training_job import TrainingJob
from training import atomic, locks
from training.data.splits import FOLDS
from training.model import container_image as images
from training.model.cross_validation import (
    Channels,
    History,
    LocalChannels,
    TrainedModels,
    TrainingResult,
    assemble_run,
    best_round,
    mean_history,
)
from training.model.hyperparameters import Hyperparameters, parse

JOBS_NAME = "jobs.json"  # in the run's folder: its jobs
TITLE = "Training"
_LOG_ATTEMPTS = 30  # the last lines may arrive some seconds after a job has ended
_LOG_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class _Fold:
    """A fold's model (UBJSON) with its number of rounds, and the metrics of all rounds that were run."""

    model: bytes
    rounds: int
    history: History


def train_on_sagemaker(
    aws: Aws, channels: Path | str, folder: Path, stated: dict[str, str], options: JobOptions
) -> TrainingResult:
    """Train on SageMaker, and write the run into a folder; resumes earlier jobs.

    `channels` is a folder of this machine, which is uploaded, or an address in S3 that jobs read: `s3://bucket/prefix`.
    Raises `AwsError`, `StoppedWaitingError` on Ctrl-C, `DeclinedError`, `DataError` and `HyperparameterError`; before a
    job is started, `InUseError` if another command is using a folder, and `OSError` if the folder cannot be written.
    """
    atomic.check_writable(folder)
    local = [channels] if isinstance(channels, Path) else []
    with locks.writing(folder), locks.reading(*local), resumable():
        return _Training(aws, channels, parse(stated), options).run(folder)


class _Training:
    """The training of one run: the folds, then the final model, then the run's folder."""

    def __init__(self, aws: Aws, channels: Path | str, hyperparameters: Hyperparameters, options: JobOptions) -> None:
        self.aws, self.channels, self.hyperparameters, self.options = aws, channels, hyperparameters, options
        if isinstance(channels, str):
            stored = open_channels(aws, channels, options.instance_count)
            uploaded = stored.for_jobs(options.instance_count)
            self._verified_channels: Channels = stored
        else:
            self._verified_channels = LocalChannels.load(channels)
            uploaded = uploaded_channels(aws.account, self._verified_channels.prepared, options)
        self.jobs = RunJobs(aws.account, uploaded, hyperparameters, options)
        self.fold_jobs = [self.jobs.fold(number) for number in range(FOLDS)]
        self.is_confirmed = False

    def run(self, folder: Path) -> TrainingResult:
        """Train the folds and the final model, and write the run."""
        folds = self._train_folds()
        history = mean_history([fold.history for fold in folds])
        metric = self.hyperparameters.watched_metric
        rounds = best_round(history["validation"][metric], metric)
        final, retrained = self._train_final(folds, rounds)
        jobs = [*self.fold_jobs, final, *retrained.values()]
        account = self.aws.account
        models = TrainedModels(
            folds=[retrained[n].model(account) if n in retrained else fold.model for n, fold in enumerate(folds)],
            history=history,
            rounds=rounds,
            model=final.model(account),
            versions=_versions(self.options),
            seconds=float(sum(job.billable_seconds for job in jobs)),
        )
        trained = assemble_run(self._verified_channels, folder, self.hyperparameters, models)
        _write_jobs(folder, jobs)
        return trained

    def _train_folds(self) -> list[_Fold]:
        """Train the folds that are not completed, and read all of them."""
        if any(job.status != "Completed" for job in self.fold_jobs):
            self._complete(self.fold_jobs, later=True)
        return [self._read_fold(job) for job in self.fold_jobs]

    def _train_final(self, folds: Sequence[_Fold], rounds: int) -> tuple[TrainingJob, dict[int, TrainingJob]]:
        """Train the final model, and again the folds whose model cannot be cut to the number of rounds."""
        cannot_cut = operator.ne if self.hyperparameters.is_linear else operator.lt
        retrained = {
            number: self.jobs.retrained_fold(number, rounds)
            for number, fold in enumerate(folds)
            if cannot_cut(fold.rounds, rounds)
        }
        final = self.jobs.final(rounds)
        self._complete([final, *retrained.values()])
        return final, retrained

    def _complete(self, jobs: Sequence[TrainingJob], later: bool = False) -> None:
        """Complete jobs; before the first new one, ask for confirmation and upload the channels."""
        aws, options = self.aws, self.options
        if not self.is_confirmed and (later or any(not job.status for job in jobs)):
            objects = "channels/ and jobs/" if isinstance(self.channels, Path) else "jobs/"
            items = [*job_items(aws, options, jobs), *(later_items(aws, options, objects) if later else ())]
            confirm_and_upload(aws, self.channels, options, TITLE, items)
            self.is_confirmed = True
        follow_jobs(aws, jobs, options.parallel, self.hyperparameters.watched_metric)

    def _read_fold(self, job: TrainingJob) -> _Fold:
        """Download a fold's model and metrics; raises `AwsError` if its log is incomplete."""
        model = job.model(self.aws.account)
        rounds = xgboost.Booster(model_file=bytearray(model)).num_boosted_rounds()
        ran = self.hyperparameters.num_round
        if self.hyperparameters.early_stopping_rounds:
            ran = min(ran, rounds + self.hyperparameters.early_stopping_rounds)
        return _Fold(model, rounds, whole_history(job.log, ran, self.hyperparameters.watched_metric, self.aws.pause))


def whole_history(log: JobLog, rounds: int, metric: str, pause: Callable[[float], None]) -> History:
    """Read a log until it has the metrics of all rounds; raises `AwsError` if it stays incomplete."""
    for _ in range(_LOG_ATTEMPTS):
        log.read()
        if len(log.history.get("validation", {}).get(metric, ())) == rounds:
            return log.history
        pause(_LOG_PAUSE_SECONDS)
    raise AwsError(
        f"The log of {log.job} does not contain all its {rounds:,} rounds. It may have been deleted, or the role may "
        f"not write logs (`verdict doctor` checks that). Delete the job's model from the bucket; {RESUME} trains it "
        "again.",
        "log-incomplete",
    )


def _versions(options: JobOptions) -> dict[str, str]:
    """Return the versions for the run's record."""
    return {
        "sagemaker image": f"{images.REPOSITORY}:{images.TAG}",
        "xgboost": images.TAG.replace("-", "."),
        "machines": f"{options.instance_count} x {options.instance_type}",
    }


def _write_jobs(folder: Path, jobs: Sequence[TrainingJob]) -> None:
    """Write the run's jobs beside it."""
    facts = {
        job.task.label: {"job": job.name, "billable_seconds": job.billable_seconds, "model": job.model_uri}
        for job in jobs
    }
    atomic.write_text(folder / JOBS_NAME, json.dumps(facts, indent=1) + "\n")
