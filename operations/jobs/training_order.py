"""What `train --on sagemaker` was asked for: to train there, or to stop what it had begun."""

from pathlib import Path

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.watching import resumable
from operations.jobs import training_job
from operations.jobs.run_jobs import TrainingOptions, purpose_of
from operations.jobs.sagemaker_training import train_there
from operations.jobs.training_job import JobResources
from training.features.channels import load_prepared
from training.model.cross_validation import TrainingResult


def stop_jobs(aws: Aws, stage: str, purpose: str) -> list[str]:
    """Stop the jobs of a run that are under way; returns their names."""
    pages = aws.account.client("sagemaker").get_paginator("list_training_jobs")
    begin = f"{names.prefix(stage)}{purpose}-"
    found = [
        str(one["TrainingJobName"])
        for page in pages.paginate(NameContains=begin, StatusEquals="InProgress")
        for one in page["TrainingJobSummaries"]
    ]
    return [name for name in found if name.startswith(begin) and training_job.stop(aws, name)]


def command(
    aws: Aws,
    channels: Path,
    folder: Path,
    stated: dict[str, str],
    instance_type: str,
    instance_count: int,
    spot: bool,
    parallel: int,
    max_minutes: int,
    stage: str,
    stop: bool,
    yes: bool,
) -> TrainingResult | None:
    """Do what `train --on sagemaker` was asked for; None when that was to stop."""
    machines = JobResources(instance_type, instance_count, spot, max_minutes)
    if not stop:
        with resumable():
            return train_there(aws, channels, folder, stated, TrainingOptions(stage, machines, parallel, yes))
    prepared, _ = load_prepared(channels)
    stopped = stop_jobs(aws, stage, purpose_of(prepared, stated, machines))
    aws.say(f"Stopping {', '.join(stopped)}." if stopped else "None of its jobs is under way.")
    return None
