"""A hyperparameter tuning job, which searches the same file of ranges as a local search.

Its training jobs use the same pair of channels as the trials of a local search. It is found again by its name, which is
derived from everything that determines it. SageMaker rates a trial by its last round, a local search by its best one.
SageMaker's early stopping of trials is off: it stops a trial below the median so far, which is wrong for boosting
(see `training.tuning.pruning`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from rich.table import Table

from operations.aws import bucket, names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there
from operations.aws.listing import list_all
from operations.aws.plan import Item
from operations.aws.watching import RESUME, watch
from operations.jobs import training_job
from operations.jobs.run_jobs import JobOptions, confirm_and_upload, later_items, uploaded_channels
from operations.jobs.training_job import UNDER_WAY, TrainingTask
from training.features.channels import SEARCH_FOLD, load_prepared, pair_of
from training.progress import FittingTable
from training.tuning.ranges import NumericRange, RangesError, SearchSpace

MAX_NAME_LENGTH = 32  # SageMaker appends a number to it to name the training jobs
_SHOWN_TRIALS = 15  # rows of the live table: the latest trials, and the best
_STARTUP_SECONDS = 3600.0  # longest wait for instances, besides the trials' own time limits
_MIN_ROUNDS = 20  # of every trial in Hyperband


@dataclass(frozen=True)
class TuningOptions:
    """The strategy of a tuning job, the number of trials in total and at a time, and the random seed."""

    strategy: str = "Bayesian"
    max_jobs: int = 20
    max_parallel: int = 2
    seed: int = 1


@dataclass(frozen=True)
class TuningTrial:
    """One training job of a tuning job. `value` is the metric after its last round, None while unknown."""

    number: int  # 1..
    job: str
    status: str
    value: float | None
    seconds: float | None
    values: dict[str, str]


@dataclass
class TuningJob:
    """A tuning job; `description` is the service's description, {} if it does not exist yet."""

    request: dict[str, Any]
    description: dict[str, Any] = field(default_factory=dict)
    trials: list[TuningTrial] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name on SageMaker."""
        return str(self.request["HyperParameterTuningJobName"])

    @property
    def status(self) -> str:
        """InProgress, Completed, ...; "" if it does not exist yet."""
        return str(self.description.get("HyperParameterTuningJobStatus", ""))

    @property
    def best(self) -> TuningTrial | None:
        """The best completed trial, None while there is none."""
        job = self.description.get("BestTrainingJob", {}).get("TrainingJobName")
        return next((trial for trial in self.trials if trial.job == job), None)


def search_on_sagemaker(
    aws: Aws, space: SearchSpace, channels: Path, tuning: TuningOptions, options: JobOptions
) -> TuningJob:
    """Start a tuning job, or resume waiting for an earlier one; returns it with its trials.

    Raises `RangesError` for a range that SageMaker or the strategy does not support, `AwsError` if no trial was
    completed, `StoppedWaitingError` on Ctrl-C.
    """
    job = find(aws.account, space, channels, tuning, options)
    if not job.status:
        price = options.price(aws.account.prices)
        trials = Item(f"trials, {tuning.max_parallel} at a time", f"{job.name}-001-... and following", price)
        number = "all combinations" if tuning.strategy == "Grid" else f"{tuning.max_jobs} trials"
        confirm_and_upload(aws, channels, options, f"Tuning, {number}", [trials, *later_items(aws, options)])
        aws.account.client("sagemaker").create_hyper_parameter_tuning_job(**job.request)
        job.description = describe(aws.account, job.name)
    wait(aws, job, space, tuning, options)
    return job


def wait(aws: Aws, job: TuningJob, space: SearchSpace, tuning: TuningOptions, options: JobOptions) -> None:
    """Watch a tuning job until it ends; raises `AwsError` if no trial was completed."""
    turns = tuning.max_jobs / tuning.max_parallel
    longest = _STARTUP_SECONDS + turns * (_STARTUP_SECONDS + options.max_minutes * 60)
    watch(aws, lambda: update(aws.account, job), lambda: trials_table(job, space), longest)
    if not job.best:
        reason = str(job.description.get("FailureReason") or "none of its trials was completed").rstrip(".")
        raise AwsError(
            f"The tuning job {job.name} {job.status.lower()} without a model: {reason}. {RESUME.capitalize()} starts "
            "another one.",
            "job-failed",
        )


def find(account: Account, space: SearchSpace, channels: Path, tuning: TuningOptions, options: JobOptions) -> TuningJob:
    """Return the tuning job that is in progress or completed, else a new one with an unused name."""
    _check(space, tuning)
    wanted = _request(account, space, channels, tuning, options)
    for attempt in count(1):
        name = names.job(options.stage, "tune", wanted, attempt, room=names.LONGEST - MAX_NAME_LENGTH)
        description = describe(account, name)
        if description.get("HyperParameterTuningJobStatus", "InProgress") in ("InProgress", "Completed"):
            break
    if options.spot:  # an interrupted trial resumes from its checkpoint; each job has its own folder there
        wanted["TrainingJobDefinition"]["CheckpointConfig"] = {"S3Uri": bucket.uri(account, f"jobs/{name}/checkpoints")}
    return TuningJob(
        {"HyperParameterTuningJobName": name, **wanted, "Tags": names.tags(options.stage, run=options.run)}, description
    )


def _check(space: SearchSpace, tuning: TuningOptions) -> None:
    """Raise `RangesError` for a range that a tuning job would refuse."""
    if space.local_only:
        raise RangesError(
            f"A SageMaker tuning job cannot vary {', '.join(space.local_only)}: make it static, or search locally."
        )
    numeric = [interval.name for interval in space.ranges if isinstance(interval, NumericRange)]
    if tuning.strategy == "Grid" and numeric:
        raise RangesError(
            f"The strategy Grid needs lists of values, not ranges such as that of {numeric[0]}: list its values in "
            "CategoricalParameterRanges, or choose another --strategy."
        )


def _request(
    account: Account, space: SearchSpace, channels: Path, tuning: TuningOptions, options: JobOptions
) -> dict[str, Any]:
    """Return the request for a tuning job, without its name and tags."""
    prepared, _ = load_prepared(channels)
    uploaded, pair = uploaded_channels(account, prepared, options), pair_of(SEARCH_FOLD)
    static = training_job.remote_hyperparameters(space.hyperparameters({}))
    train = uploaded.train(pair, sharded=options.instance_count > 1)
    task = TrainingTask("tune", static, train, uploaded.validation(pair))
    limits = {"MaxParallelTrainingJobs": tuning.max_parallel}
    if tuning.strategy != "Grid":  # which tries all combinations
        limits["MaxNumberOfTrainingJobs"] = tuning.max_jobs
    config: dict[str, Any] = {
        "Strategy": tuning.strategy,
        "HyperParameterTuningJobObjective": space.document["HyperParameterTuningJobObjective"],
        "ResourceLimits": limits,
        "ParameterRanges": space.document["ParameterRanges"],
        "TrainingJobEarlyStoppingType": "Off",
        "RandomSeed": tuning.seed,
    }
    if tuning.strategy == "Hyperband":
        config["StrategyConfig"] = {"HyperbandStrategyConfig": _hyperband(space)}
    definition = {
        **training_job.definition(account, options.resources),
        "StaticHyperParameters": static,
        "InputDataConfig": training_job.channels(task, options.resources),
    }
    return {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition}


def _hyperband(space: SearchSpace) -> dict[str, int]:
    """Return Hyperband's limits on a trial's rounds; it does not know the name of that hyperparameter."""
    ranges = [
        interval.high
        for interval in space.ranges
        if isinstance(interval, NumericRange) and interval.name == "num_round"
    ]
    most = int(ranges[0] if ranges else space.static["num_round"])
    return {"MinResource": min(_MIN_ROUNDS, most), "MaxResource": most}


def describe(account: Account, name: str) -> dict[str, Any]:
    """Return the description of a tuning job, {} if it does not exist."""
    sagemaker = account.client("sagemaker")
    return if_there(sagemaker.describe_hyper_parameter_tuning_job, HyperParameterTuningJobName=name) or {}


def update(account: Account, job: TuningJob) -> bool:
    """Update a tuning job and its trials; return whether it has ended, or does not exist."""
    job.description = describe(account, job.name)
    if not job.description:
        return True
    operation = "list_training_jobs_for_hyper_parameter_tuning_job"
    request = {"HyperParameterTuningJobName": job.name, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    summaries = list_all(account, "sagemaker", operation, "TrainingJobSummaries", **request)
    job.trials = [_trial(number, summary) for number, summary in enumerate(summaries, start=1)]
    return job.status not in UNDER_WAY


def _trial(number: int, summary: dict[str, Any]) -> TuningTrial:
    """Read the summary of a trial; some algorithms put quotes around text values."""
    start, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    seconds = isinstance(start, datetime) and isinstance(end, datetime) and (end - start).total_seconds()
    return TuningTrial(
        number=number,
        job=str(summary["TrainingJobName"]),
        status=str(summary["TrainingJobStatus"]),
        value=summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        seconds=seconds or None,
        values={name: str(text).strip('"') for name, text in summary["TunedHyperParameters"].items()},
    )


def trials_table(job: TuningJob, space: SearchSpace) -> Table:
    """Return a table of the latest trials and the best one."""
    best = job.best
    latest = [trial for trial in job.trials[-_SHOWN_TRIALS:] if trial is not best]
    table = FittingTable("trial", "state", f"validation {space.metric}", "seconds", *space.names, title_justify="left")
    for column in table.columns[2:]:
        column.justify = "right"
    for trial in sorted([*latest, *([best] if best else [])], key=lambda trial: trial.number):
        table.add_row(
            f"{trial.number}{' best' if trial is best else ''}",
            trial.status,
            "" if trial.value is None else f"{trial.value:.4f}",
            "" if trial.seconds is None else f"{trial.seconds:.0f}",
            *(trial.values.get(name, "") for name in space.names),
            style="bold green" if trial is best else "",
        )
    done = sum(trial.status == "Completed" for trial in job.trials)
    table.caption = f"{job.name}: {job.status}, {done} of {len(job.trials)} started trials are completed"
    return table


def stop(aws: Aws, job: TuningJob) -> bool:
    """Stop a tuning job and its training jobs, and return whether it was in progress."""
    if job.status != "InProgress":
        return False
    aws.account.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=job.name)
    return True
