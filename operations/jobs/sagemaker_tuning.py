"""The best trial of a tuning job becomes a run, trained as `train --on sagemaker` does."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from operations.aws.command import Aws
from operations.aws.watching import resumable
from operations.jobs import tuning_job
from operations.jobs.run_jobs import TrainingOptions, purpose_of
from operations.jobs.sagemaker_training import train_there
from operations.jobs.training_job import JobResources
from operations.jobs.training_order import stop_jobs
from operations.jobs.tuning_job import TuningJob, TuningOptions
from training import atomic
from training.features.channels import load_prepared
from training.model.cross_validation import TrainingResult
from training.model.run_folder import SEARCH_NAME
from training.tuning.ranges import SearchSpace


def tuned_there(
    aws: Aws,
    space: SearchSpace,
    channels: Path,
    folder: Path,
    search: TuningOptions,
    order: TrainingOptions,
) -> TrainingResult:
    """Search, and train the best trial into the folder: agreed to once, and gone on with from wherever it was left."""
    tuning = tuning_job.tune_there(aws, space, channels, search, order)
    if not tuning.best:
        raise ValueError("a search without a best trial")
    stated = space.hyperparameters(tuning.best.values)
    # the search's plan had these trainings in it; a search that ended overnight must not wait for an answer
    trained = train_there(aws, channels, folder, stated, replace(order, yes=True))
    _write(folder, space, search, tuning)
    return trained


def _write(folder: Path, space: SearchSpace, search: TuningOptions, tuning: TuningJob) -> None:
    """Write what was searched and found beside the run."""
    facts = {
        "tuning_job": tuning.name,
        **asdict(search),
        "ranges": space.document,
        "static_hyperparameters": space.static,
        "best": tuning.best and tuning.best.number,
        "trials": [asdict(trial) for trial in tuning.trials],
    }
    atomic.write_text(folder / SEARCH_NAME, json.dumps(facts, indent=1) + "\n")


def command(
    aws: Aws,
    space: SearchSpace,
    channels: Path,
    folder: Path,
    seed: int,
    max_jobs: int,
    max_parallel: int,
    strategy: str,
    instance_type: str,
    instance_count: int,
    spot: bool,
    parallel: int,
    max_minutes: int,
    stage: str,
    stop: bool,
    yes: bool,
) -> TrainingResult | None:
    """Do what `tune --on sagemaker` was asked for; None when that was to stop."""
    order = TrainingOptions(stage, JobResources(instance_type, instance_count, spot, max_minutes), parallel, yes)
    search = TuningOptions(strategy, max_jobs, max_parallel, seed)
    if not stop:
        with resumable():
            return tuned_there(aws, space, channels, folder, search, order)
    stopped = _stop(aws, space, channels, search, order)
    aws.say(f"Stopping {', '.join(stopped)}." if stopped else "Nothing of it is under way.")
    return None


def _stop(aws: Aws, space: SearchSpace, channels: Path, search: TuningOptions, order: TrainingOptions) -> list[str]:
    """Stop a tuning job that is under way, or the jobs of the run that its best trial becomes; returns their names."""
    tuning = tuning_job.find(aws.account, space, channels, search, order)
    if tuning_job.stop(aws, tuning):
        return [tuning.name]
    tuning_job.look(aws.account, tuning)
    if not tuning.best:
        return []
    prepared, _ = load_prepared(channels)
    stated = space.hyperparameters(tuning.best.values)
    return stop_jobs(aws, order.stage, purpose_of(prepared, stated, order.machines))
