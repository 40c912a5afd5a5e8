"""`tune --on sagemaker`: a tuning job, and its best trial trained as a run on SageMaker."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from operations.aws.command import Aws
from operations.aws.watching import resumable
from operations.jobs import tuning_job
from operations.jobs.run_jobs import JobOptions
from operations.jobs.sagemaker_training import train_on_sagemaker
from operations.jobs.tuning_job import TuningJob, TuningOptions
from training import atomic, locks
from training.model.cross_validation import TrainingResult
from training.model.run_folder import SEARCH_NAME
from training.tuning.ranges import SearchSpace


def tune_on_sagemaker(
    aws: Aws, space: SearchSpace, channels: Path, folder: Path, tuning: TuningOptions, options: JobOptions
) -> TrainingResult:
    """Search on SageMaker, and train the best trial into a folder; resumes earlier jobs.

    Confirmed once: the proposal of the search includes the final training, which must not wait for an answer. Raises
    `OSError`, before a job is started, if the folder cannot be written.
    """
    atomic.check_writable(folder)
    with locks.writing(folder), locks.reading(channels), resumable():
        found = tuning_job.search_on_sagemaker(aws, space, channels, tuning, options)
        if not found.best:
            raise ValueError("a completed search without a best trial")
        hyperparameters = space.hyperparameters(found.best.values)
        trained = train_on_sagemaker(aws, channels, folder, hyperparameters, replace(options, yes=True))
        _write_search(folder, space, tuning, found)
        return trained


def _write_search(folder: Path, space: SearchSpace, tuning: TuningOptions, found: TuningJob) -> None:
    """Write the search beside the run."""
    facts = {
        "tuning_job": found.name,
        **asdict(tuning),
        "ranges": space.document,
        "static_hyperparameters": space.static,
        "best": found.best and found.best.number,
        "trials": [asdict(trial) for trial in found.trials],
    }
    atomic.write_text(folder / SEARCH_NAME, json.dumps(facts, indent=1) + "\n")
