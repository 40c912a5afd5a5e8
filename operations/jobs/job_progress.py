"""Several training jobs followed together: begun a few at a time, watched through their logs, shown as a live table.

When a job fails, those beside it are stopped, so that nothing goes on that
nobody waits for; what had completed is kept for the next try.
"""

from collections.abc import Sequence

from botocore.exceptions import ClientError
from rich.table import Table

from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of
from operations.aws.watching import RESUME, watch
from operations.jobs import training_job
from operations.jobs.training_job import TrainingJob

LAST_LINES = 8  # of a failed job's log
LAST_LINES_SECONDS = 2.0  # they may come so much later than its end
_PATIENCE_SECONDS = 3600.0  # on top of what jobs may take: machines are waited for
_LONGEST_LINE = 100


def follow(aws: Aws, jobs: Sequence[TrainingJob], parallel: int, metric: str) -> None:
    """Begin jobs, so many at a time, and return when all have completed; `metric` of validation is shown.

    Raises `AwsError` when one fails or is stopped, `StoppedWaitingError` on Ctrl-C and when nothing ever happens.
    """
    longest = _PATIENCE_SECONDS + sum(max(job.request["StoppingCondition"].values()) for job in jobs)
    shown = Progress(jobs, metric)
    watch(aws, lambda: _step(aws, jobs, parallel, shown), shown, longest)


def _step(aws: Aws, jobs: Sequence[TrainingJob], parallel: int, shown: "Progress") -> bool:
    """Look at every job that is under way, and begin those there is room for; True when all have completed."""
    for job in jobs:
        if job.status and not (job.status == "Completed" and job.name in shown.seen):
            look(aws, job)
            shown.take(aws, job)
    for job in jobs:
        if job.status not in ("", "Completed", *training_job.UNDER_WAY):
            aws.pause(LAST_LINES_SECONDS)
            job.log.read()
            raise ended_badly(aws, job, jobs)
    for job in jobs:
        running = sum(one.status in training_job.UNDER_WAY for one in jobs)
        if not job.status and running < parallel and not _begin(aws, job, running):
            break
    return all(job.status == "Completed" for job in jobs)


def look(aws: Aws, job: TrainingJob) -> None:
    """Ask how a job stands, and read its log on."""
    job.told = training_job.describe(aws.account, job.name)
    job.log.read()


def _begin(aws: Aws, job: TrainingJob, running: int) -> bool:
    """Begin a job; False when the account's quota has no room for another beside those that run."""
    try:
        training_job.create(aws, job)
    except ClientError as error:
        if code_of(error) == "ResourceLimitExceeded" and running:
            return False
        raise
    return True


def ended_badly(aws: Aws, job: TrainingJob, jobs: Sequence[TrainingJob]) -> AwsError:
    """Stop what runs beside a job that failed or was stopped, and return the error that says why it ended."""
    stopped = [one.work.label for one in jobs if one is not job and one.status in training_job.UNDER_WAY]
    for one in jobs:
        if one.work.label in stopped and training_job.stop(aws, one.name):
            aws.say(f"Stopped {one.name}, since {job.work.label} did not complete.")
    last = "".join(f"\n  {line}" for line in job.log.lines[-8:])
    log = f"\nIts log ends:{last}" if last else "\nThere is no log of it yet."
    return AwsError(
        f"{_why(job)} Nothing of it runs any more; {RESUME} begins what is missing anew.{log}", "job-failed"
    )


def _why(job: TrainingJob) -> str:
    """Say why a job ended."""
    if job.state == "MaxRuntimeExceeded":
        return f"The training job {job.name} took longer than it may. Give it more --max-minutes."
    if job.state == "MaxWaitTimeExceeded":
        return f"No spare machine was found in time for {job.name}. Leave out --spot, or try again later."
    told = str(job.told.get("FailureReason", "")) or "no reason given"
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    reason = " ".join(dict.fromkeys((lines[0], lines[-1]))).rstrip(".")  # between them is a traceback
    return f"The training job {job.name} {job.status.lower()}: {reason}."


class Progress:
    """All jobs as a table that is drawn anew, with the line that was logged last; `seen` are those that have ended."""

    def __init__(self, jobs: Sequence[TrainingJob], metric: str) -> None:
        self.seen: set[str] = set()
        self._jobs = jobs
        self._metric = metric
        self._states: dict[str, str] = {}
        self._last = ""

    def take(self, aws: Aws, job: TrainingJob) -> None:
        """Take a job that was looked at; where nothing can be drawn anew, a line says what has changed."""
        if job.status == "Completed":
            self.seen.add(job.name)
        if job.log.lines and job.status in training_job.UNDER_WAY:
            self._last = f"{job.work.label}: {job.log.lines[-1][:_LONGEST_LINE]}"
        if self._states.get(job.name) != job.state and not aws.console.is_terminal:
            aws.say(f"{job.name}: {job.state}")
        self._states[job.name] = job.state

    def __call__(self) -> Table:
        """Make the table."""
        table = Table("job", "state", "rounds", f"validation {self._metric}", "billable s", title_justify="left")
        for column in table.columns[2:]:
            column.justify = "right"
        for job in self._jobs:
            figures = job.log.history.get("validation", job.log.history.get("train", {}))
            values = figures.get(self._metric, [])
            of_validation = values and "validation" in job.log.history
            table.add_row(
                job.work.label,
                job.state,
                f"{len(values):,}" if values else "",
                f"{values[-1]:.4f}" if of_validation else "",
                str(job.billable_seconds or ""),
            )
        total = sum(job.billable_seconds for job in self._jobs)
        table.caption = self._last if any(job.status in training_job.UNDER_WAY for job in self._jobs) else None
        if total:
            table.add_row("together", "", "", "", str(total), end_section=True)
        return table
