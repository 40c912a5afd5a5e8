"""Training jobs in parallel: started within limits, followed through their logs, shown as a live table.

If a job fails, those in progress beside it are stopped; completed ones are kept for the next attempt.
"""

from collections.abc import Sequence

from botocore.exceptions import ClientError
from rich.table import Table

from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of
from operations.aws.watching import RESUME, watch
from operations.jobs import training_job
from operations.jobs.job_log import log_tail
from operations.jobs.training_job import UNDER_WAY, TrainingJob
from training.progress import FittingTable

_LOG_DELAY_SECONDS = 2.0  # the last lines may arrive after a job has ended
_STARTUP_SECONDS = 3600.0  # longest wait for instances, besides the jobs' own time limits
_LINE_LENGTH = 100


def follow_jobs(aws: Aws, jobs: Sequence[TrainingJob], parallel: int, metric: str) -> None:
    """Start jobs, at most `parallel` at a time, and wait until all are completed; shows their validation `metric`.

    Raises `AwsError` if a job fails or is stopped, `StoppedWaitingError` on Ctrl-C or after the time limits.
    """
    longest = _STARTUP_SECONDS + sum(max(job.request["StoppingCondition"].values()) for job in jobs)
    table = JobTable(aws, jobs, metric)
    watch(aws, lambda: _advance(aws, jobs, parallel, table), table, longest)


def _advance(aws: Aws, jobs: Sequence[TrainingJob], parallel: int, table: "JobTable") -> bool:
    """Update all jobs and start those that fit; return whether all are completed."""
    for job in jobs:
        if job.status and not table.has_ended(job):
            job.description = training_job.describe(aws.account, job.name)
            job.log.read()
            table.update(job)
    for job in jobs:
        if job.status not in ("", "Completed", *UNDER_WAY):
            aws.pause(_LOG_DELAY_SECONDS)
            job.log.read()
            raise stop_others(aws, job, jobs)
    for job in jobs:
        running = sum(other.status in UNDER_WAY for other in jobs)
        if not job.status and running < parallel and not _start(aws, job, running):
            break
    return all(job.status == "Completed" for job in jobs)


def _start(aws: Aws, job: TrainingJob, running: int) -> bool:
    """Start a job; return False if it must wait, because the quota is used by those that are running."""
    try:
        training_job.start(aws, job)
    except ClientError as error:
        if code_of(error) == "ResourceLimitExceeded" and running:
            return False
        raise
    return True


def stop_others(aws: Aws, failed: TrainingJob, jobs: Sequence[TrainingJob]) -> AwsError:
    """Stop the jobs in progress beside a failed one, and return the error that explains why it failed."""
    for job in jobs:
        if job is not failed and job.status in UNDER_WAY and training_job.stop(aws, job.name):
            aws.print(f"Stopped {job.name}, because {failed.task.label} did not complete.")
    was_stopped = failed.state == "Stopped"  # on request, so its log does not explain anything
    tail = "" if was_stopped else log_tail(failed.log) or "\nIt has no log."
    return AwsError(f"{_reason(failed)} No job is running now; {RESUME} starts what is missing.{tail}", "job-failed")


def _reason(job: TrainingJob) -> str:
    """Return why a job ended, as a sentence."""
    if job.state == "MaxRuntimeExceeded":
        return f"The training job {job.name} reached its time limit. Allow more with --max-minutes."
    if job.state == "MaxWaitTimeExceeded":
        return f"No spot instance was available in time for {job.name}. Omit --spot, or try again later."
    text = str(job.description.get("FailureReason", ""))
    if not text:
        return f"The training job {job.name} {'was stopped' if job.status == 'Stopped' else 'failed without a reason'}."
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reason = " ".join(dict.fromkeys((lines[0], lines[-1]))).rstrip(".")  # without the traceback between them
    return f"The training job {job.name} {job.status.lower()}: {reason}."


class JobTable:
    """The live table of all jobs, with the last line of their logs."""

    def __init__(self, aws: Aws, jobs: Sequence[TrainingJob], metric: str) -> None:
        self._aws = aws
        self._jobs = jobs
        self._metric = metric
        self._states: dict[str, str] = {}
        self._last_line = ""

    def has_ended(self, job: TrainingJob) -> bool:
        """Return whether a job was completed at its last update."""
        return job.name in self._states and job.status == "Completed"

    def update(self, job: TrainingJob) -> None:
        """Update a job's row; if the console is not a terminal, print a change of state as a line."""
        if job.log.lines and job.status in UNDER_WAY:
            self._last_line = f"{job.task.label}: {job.log.lines[-1][:_LINE_LENGTH]}"
        if self._states.get(job.name) != job.state and not self._aws.console.is_terminal:
            self._aws.print(f"{job.name}: {job.state}")
        self._states[job.name] = job.state

    def __call__(self) -> Table:
        """Return the table."""
        table = FittingTable("job", "state", "rounds", f"validation {self._metric}", "billable s", title_justify="left")
        for column in table.columns[2:]:
            column.justify = "right"
        for job in self._jobs:
            table.add_row(job.task.label, job.state, *self._metrics(job), str(job.billable_seconds or ""))
        is_running = any(job.status in UNDER_WAY for job in self._jobs)
        table.caption = self._last_line if is_running else None
        total = sum(job.billable_seconds for job in self._jobs)
        if total:
            table.add_row("total", "", "", "", str(total), end_section=True)
        return table

    def _metrics(self, job: TrainingJob) -> tuple[str, str]:
        """Return a job's number of rounds, and its last value of the validation metric."""
        history = job.log.history
        values = history.get("validation", history.get("train", {})).get(self._metric, [])
        value = f"{values[-1]:.4f}" if values and "validation" in history else ""
        return f"{len(values):,}" if values else "", value
