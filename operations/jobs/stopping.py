"""`train` and `tune --stop`: the jobs of a run are stopped by the run's name, whatever the other options."""

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.names import RUN_TAG
from operations.inventory import inventory
from operations.inventory.resources import Kind, Resource
from operations.teardown.deletions import stop_job

FINDERS = ("tuning jobs", "training jobs")


def stop_run(aws: Aws, stage: str, run: str) -> list[str]:
    """Stop a run's jobs in progress, and return their names; names the runs of other jobs that continue.

    Raises `AwsError` if these credentials may not list jobs.
    """
    found = inventory.take(aws.account, stage, FINDERS)
    if found.unread:
        raise AwsError(f"Nothing was stopped, because jobs could not be listed. {found.unread[0]}", "no-permission")
    running = [job for job in found.jobs if not job.state.startswith("Stopping") and not _is_trial(job, found.jobs)]
    stopped = [job for job in running if job.tags.get(RUN_TAG) == run]
    for job in stopped:
        stop_job(aws, job)
    others = [job for job in running if job not in stopped]
    if others:
        runs = sorted({job.tags.get(RUN_TAG, "") or job.name for job in others})
        aws.print(f"Still running in stage {stage}, and billed: {', '.join(runs)}.")
    return [job.name for job in stopped]


def _is_trial(job: Resource, jobs: list[Resource]) -> bool:
    """Return whether a training job belongs to one of the tuning jobs, and stops with it."""
    tuning_jobs = [other.name for other in jobs if other.kind == Kind.TUNING_JOB]
    return job.kind == Kind.TRAINING_JOB and any(job.name.startswith(f"{name}-") for name in tuning_jobs)
