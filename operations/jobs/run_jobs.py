"""The training jobs of a run: their names, channels and prices.

The names of a run's jobs share a part such as `train-5c1f20aa`, derived from channels, hyperparameters and resources.
So a command finds the jobs that an earlier one started.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operations.aws import bucket, names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import MINOR_COST, Item, propose
from operations.aws.prices import Price, PriceList
from operations.jobs import training_job
from operations.jobs.channel_upload import UploadedChannels, digest_of, has_parts, upload_channels
from operations.jobs.training_job import JobResources, TrainingJob, TrainingTask
from training.data.splits import FOLDS
from training.features.channels import ALL, PreparedChannels, pair_of
from training.model.hyperparameters import Hyperparameters, for_rounds
from training.progress import bars


@dataclass(frozen=True)
class JobOptions:
    """The options of `train` and `tune --on sagemaker`."""

    instance_type: str
    instance_count: int = 1
    spot: bool = False
    parallel: int = 5  # concurrent jobs
    max_minutes: int = 60
    stage: str = names.DEFAULT_STAGE
    stop: bool = False  # stop the run's jobs
    yes: bool = False
    run: str = ""  # the run's name, which tags its jobs

    @property
    def resources(self) -> JobResources:
        """The resources of each job."""
        return JobResources(self.instance_type, self.instance_count, self.spot, self.max_minutes)

    def price(self, price_list: PriceList) -> Price:
        """Return the hourly price of one job."""
        price = price_list.instance("training", self.instance_type, self.instance_count)
        return Price(price.usd_per_hour, "less as a spot instance") if self.spot else price

    def __str__(self) -> str:
        """`60 minutes each at most, on 1 x ml.m5.xlarge`."""
        return f"{self.max_minutes} minutes each at most, on {self.instance_count} x {self.instance_type}"


class RunJobs:
    """The jobs of one run, each either found or to be started."""

    def __init__(
        self, account: Account, uploaded: UploadedChannels, hyperparameters: Hyperparameters, options: JobOptions
    ) -> None:
        self._account = account
        self._stated = hyperparameters.strings
        self._options = options
        self._uploaded = uploaded
        self._purpose = purpose_of(uploaded.digest, hyperparameters.strings, options)

    def fold(self, number: int) -> TrainingJob:
        """Return the job of a fold."""
        return self._find(pair_of(number), pair_of(number), self._stated, validated=True)

    def retrained_fold(self, number: int, rounds: int) -> TrainingJob:
        """Return the job of a fold that is trained again, for a number of rounds."""
        return self._find(f"{pair_of(number)}-again", pair_of(number), for_rounds(self._stated, rounds))

    def final(self, rounds: int) -> TrainingJob:
        """Return the job of all reviews."""
        return self._find(ALL, ALL, for_rounds(self._stated, rounds))

    def _find(self, label: str, pair: str, hyperparameters: dict[str, str], validated: bool = False) -> TrainingJob:
        task = TrainingTask(
            purpose=f"{self._purpose}-{label}",
            hyperparameters=hyperparameters,
            train=self._uploaded.train(pair, sharded=self._options.instance_count > 1),
            validation=self._uploaded.validation(pair) if validated else "",
            volume_gb=self._uploaded.volume_gb,
        )
        return training_job.find(self._account, self._options.stage, task, self._options.resources, self._options.run)


def uploaded_channels(account: Account, prepared: PreparedChannels, options: JobOptions) -> UploadedChannels:
    """Return where the channels are, or will be after the upload."""
    digest, shards = digest_of(prepared), options.instance_count
    prefix = bucket.uri(account, f"channels/{digest}")
    return UploadedChannels(prefix, digest, shards, (), (), has_parts(prepared, shards))


def purpose_of(digest: str, stated: dict[str, str], options: JobOptions) -> str:
    """Return the part that the names of a run's jobs share: `train-5c1f20aa`."""
    made_of = [digest, training_job.remote_hyperparameters(stated), vars(options.resources)]
    return f"train-{names.digest(made_of)}"


def job_items(aws: Aws, options: JobOptions, jobs: Sequence[TrainingJob]) -> list[Item]:
    """Return the proposal's items for the jobs that do not exist yet."""
    price = options.price(aws.account.prices)
    return [Item("training job", job.name, price) for job in jobs if not job.status]


def later_items(aws: Aws, options: JobOptions, objects: str = "channels/ and jobs/") -> list[Item]:
    """Return the proposal's items for the jobs that depend on the best number of rounds, and for stored objects."""
    price = options.price(aws.account.prices)
    return [
        Item("training job, then", "on all reviews", price),
        Item(f"up to {FOLDS} more", "for folds that stopped before the best number of rounds", price),
        Item("objects", bucket.uri(aws.account, objects), MINOR_COST),
    ]


def confirm_and_upload(aws: Aws, channels: Path | str, options: JobOptions, title: str, items: Sequence[Item]) -> None:
    """Show the jobs, ask for confirmation (raises `DeclinedError`), and upload the channels, unless they are in S3."""
    propose(aws.console, f"{title}, {options}", items, options.yes)
    if isinstance(channels, str):
        bucket.ensure(aws)  # for the models
        return
    with bars(aws.console, "Uploading") as (tick,):
        upload_channels(aws, channels, options.instance_count, tick)
