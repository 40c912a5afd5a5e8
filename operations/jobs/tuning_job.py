"""`tune --on sagemaker`: the same file of ranges as a search here, searched by a hyperparameter tuning job.

Its training jobs learn from the pair of channels that single trials are judged on here, and it is found again by its
name, which is derived from all that decides it. SageMaker judges a trial by the last round it ran, a search here by its
best one. It could stop trials early too, but those that are worse than the median so far, which is wrong for boosting
(see `training.tuning.pruning`): that stays off.
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
from operations.aws.plan import Item, propose
from operations.aws.watching import RESUME, watch
from operations.jobs import training_job
from operations.jobs.channel_upload import upload_channels
from operations.jobs.run_jobs import TrainingOptions, later, place, price
from operations.jobs.training_job import JobResources, TrainingTask
from training.features.channels import JUDGED_PAIR, load_prepared, pair_of
from training.progress import bars
from training.tuning.ranges import NumericRange, RangesError, SearchSpace

LONGEST_NAME = 32  # those of its training jobs are this one, and their numbers
_SHOWN = 15  # lines of the live table: the latest trials, and the best
_PATIENCE_SECONDS = 3600.0
_LEAST_ROUNDS = 20  # that Hyperband leaves to every trial


@dataclass(frozen=True)
class TuningOptions:
    """How a tuning job searches: its strategy, how many trials in all and at a time, and its random seed."""

    strategy: str = "Bayesian"
    max_jobs: int = 20
    max_parallel: int = 2
    seed: int = 1


@dataclass(frozen=True)
class TuningTrial:
    """One training job of a tuning job. `value` is the metric after its last round, None while there is none."""

    number: int  # 1..
    job: str
    status: str
    value: float | None
    seconds: float | None
    values: dict[str, str]


@dataclass
class TuningJob:
    """A tuning job that exists (`told` is what was said of it), or one to be made of `request` (`told` is empty)."""

    request: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)
    trials: list[TuningTrial] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name on SageMaker."""
        return str(self.request["HyperParameterTuningJobName"])

    @property
    def status(self) -> str:
        """InProgress, Completed, ...; "" for one that does not exist yet."""
        return str(self.told.get("HyperParameterTuningJobStatus", ""))

    @property
    def best(self) -> TuningTrial | None:
        """The best trial that was completed, as SageMaker tells; None while there is none."""
        job = self.told.get("BestTrainingJob", {}).get("TrainingJobName")
        return next((trial for trial in self.trials if trial.job == job), None)


def tune_there(
    aws: Aws,
    space: SearchSpace,
    channels: Path,
    search: TuningOptions,
    order: TrainingOptions,
) -> TuningJob:
    """Search on SageMaker, or go on waiting for a search that was begun; returns the job with its trials.

    Raises `RangesError` for a range that is searched here only, or not by this strategy, `AwsError` when no trial was
    completed, `StoppedWaitingError` on Ctrl-C.
    """
    tuning = find(aws.account, space, channels, search, order)
    if not tuning.status:
        machines = price(aws, order.machines)
        trials = Item(f"trials, {search.max_parallel} at a time", f"{tuning.name}-001-... and on", machines)
        propose(aws.console, f"Tuning, {_limits(search, order)}", [trials, *later(aws, order)], order.yes)
        with bars(aws.console, "Uploading") as (tick,):
            upload_channels(aws, channels, order.machines.instance_count, tick)
        aws.account.client("sagemaker").create_hyper_parameter_tuning_job(**tuning.request)
        aws.journal.write("created", "tuning-job", tuning.name)
        tuning.told = describe(aws.account, tuning.name)
    wait(aws, tuning, space, search, order)
    return tuning


def wait(aws: Aws, tuning: TuningJob, space: SearchSpace, search: TuningOptions, order: TrainingOptions) -> None:
    """Watch a tuning job until it ends; raises `AwsError` when it does without a trial that was completed."""
    turns = search.max_jobs / search.max_parallel
    longest = _PATIENCE_SECONDS + turns * (_PATIENCE_SECONDS + order.machines.minutes * 60)
    watch(aws, lambda: look(aws.account, tuning), lambda: trials_table(tuning, space), longest)
    if not tuning.best:
        raise AwsError(f"{_why(tuning)} {RESUME.capitalize()} begins another one.", "job-failed")


def find(
    account: Account, space: SearchSpace, channels: Path, search: TuningOptions, order: TrainingOptions
) -> TuningJob:
    """Find the tuning job that is under way or done; else return one to be made, under a name still free."""
    _check(space, search)
    wanted = _request(account, space, channels, search, order.machines)
    for attempt in count(1):
        name = names.job(order.stage, "tune", wanted, attempt, room=names.LONGEST - LONGEST_NAME)
        told = describe(account, name)
        if told.get("HyperParameterTuningJobStatus", "InProgress") in ("InProgress", "Completed"):
            break
    if order.machines.spot:  # after an interruption a trial goes on from there; its jobs have folders of their own
        wanted["TrainingJobDefinition"]["CheckpointConfig"] = {"S3Uri": bucket.uri(account, f"jobs/{name}/checkpoints")}
    return TuningJob({"HyperParameterTuningJobName": name, **wanted, "Tags": names.tags(order.stage)}, told)


def _check(space: SearchSpace, search: TuningOptions) -> None:
    """Raise `RangesError` for a range that a tuning job would refuse."""
    if space.local_only:
        raise RangesError(
            f"A SageMaker tuning job cannot vary {', '.join(space.local_only)}: state it as static, or search here."
        )
    numbers = [one.name for one in space.ranges if isinstance(one, NumericRange)]
    if search.strategy == "Grid" and numbers:
        raise RangesError(
            f"Grid tries stated values only, not ranges such as {numbers[0]}'s: list its values as "
            "CategoricalParameterRanges, or choose another --strategy."
        )


def _request(
    account: Account, space: SearchSpace, channels: Path, search: TuningOptions, machines: JobResources
) -> dict[str, Any]:
    """Return the request for a tuning job, but for its name and tags."""
    prepared, _ = load_prepared(channels)
    where, pair = place(account, prepared, machines), pair_of(JUDGED_PAIR)
    static = training_job.sent(space.hyperparameters({}))
    train = where.train(pair, sharded=machines.instance_count > 1)
    work = TrainingTask("tune", static, train, where.validation(pair))
    limits = {"MaxParallelTrainingJobs": search.max_parallel}
    if search.strategy != "Grid":  # which tries all combinations there are
        limits["MaxNumberOfTrainingJobs"] = search.max_jobs
    config: dict[str, Any] = {
        "Strategy": search.strategy,
        "HyperParameterTuningJobObjective": space.document["HyperParameterTuningJobObjective"],
        "ResourceLimits": limits,
        "ParameterRanges": space.document["ParameterRanges"],
        "TrainingJobEarlyStoppingType": "Off",
        "RandomSeed": search.seed,
    }
    if search.strategy == "Hyperband":
        config["StrategyConfig"] = {"HyperbandStrategyConfig": _hyperband(space)}
    definition = {
        **training_job.definition(account, machines),
        "StaticHyperParameters": static,
        "InputDataConfig": training_job.channels(work, machines),
    }
    return {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition}


def _hyperband(space: SearchSpace) -> dict[str, int]:
    """Return how many rounds Hyperband gives a trial: it cannot find out by itself what they are called."""
    searched = [one.high for one in space.ranges if isinstance(one, NumericRange) and one.name == "num_round"]
    most = int(searched[0] if searched else space.static["num_round"])
    return {"MinResource": min(_LEAST_ROUNDS, most), "MaxResource": most}


def _limits(search: TuningOptions, order: TrainingOptions) -> str:
    """Say how much a tuning job may do."""
    trials = "all combinations" if search.strategy == "Grid" else f"{search.max_jobs} trials"
    machines = order.machines
    return f"{trials} of {machines.minutes} minutes at most on {machines.instance_count} x {machines.instance_type}"


def describe(account: Account, name: str) -> dict[str, Any]:
    """Return what is told about a tuning job, nothing when there is no such job."""
    return (
        if_there(account.client("sagemaker").describe_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
        or {}
    )


def look(account: Account, tuning: TuningJob) -> bool:
    """Look how a tuning job stands; True when it has ended, or does not exist."""
    tuning.told = describe(account, tuning.name)
    if not tuning.told:
        return True
    pages = account.client("sagemaker").get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = pages.paginate(HyperParameterTuningJobName=tuning.name, SortBy="CreationTime", SortOrder="Ascending")
    told = [one for page in found for one in page["TrainingJobSummaries"]]
    tuning.trials = [_trial(number, one) for number, one in enumerate(told, start=1)]
    return tuning.status not in ("InProgress", "Stopping")


def _trial(number: int, told: dict[str, Any]) -> TuningTrial:
    """Read a summary of a training job; texts come in quotes of their own from some algorithms."""
    began, ended = told.get("TrainingStartTime"), told.get("TrainingEndTime")
    seconds = isinstance(began, datetime) and isinstance(ended, datetime) and (ended - began).total_seconds()
    return TuningTrial(
        number=number,
        job=str(told["TrainingJobName"]),
        status=str(told["TrainingJobStatus"]),
        value=told.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        seconds=seconds or None,
        values={name: str(text).strip('"') for name, text in told["TunedHyperParameters"].items()},
    )


def trials_table(tuning: TuningJob, space: SearchSpace) -> Table:
    """Make a table of the latest trials and the best one."""
    best = tuning.best
    latest = [trial for trial in tuning.trials[-_SHOWN:] if trial is not best]
    table = Table("trial", "state", f"validation {space.metric}", "seconds", *space.names, title_justify="left")
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
    done = sum(trial.status == "Completed" for trial in tuning.trials)
    table.caption = f"{tuning.name}: {tuning.status}, {done} of {len(tuning.trials)} trials begun have completed"
    return table


def _why(tuning: TuningJob) -> str:
    """Say why a tuning job has no best trial."""
    reason = str(tuning.told.get("FailureReason") or "none of its trials was completed").rstrip(".")
    return f"The tuning job {tuning.name} {tuning.status.lower()} without a model: {reason}."


def stop(aws: Aws, tuning: TuningJob) -> bool:
    """Ask a tuning job to stop, and its training jobs with it; False when it is not under way."""
    if tuning.status != "InProgress":
        return False
    aws.account.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning.name)
    aws.journal.write("updated", "tuning-job", tuning.name, status="Stopping")
    return True
