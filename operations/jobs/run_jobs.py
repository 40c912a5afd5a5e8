"""The trainings that make a run, each a job: what they are called, where they learn from, and what they will cost.

All names of a run's jobs have a part in common, `train-5c1f20aa`, over the channels, the hyperparameters and the
machines; so a command finds what an earlier one like it began.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from operations.aws import bucket, names, prices
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import PENNIES, Item, propose
from operations.jobs import training_job
from operations.jobs.channel_upload import UploadedChannels, digest_of
from operations.jobs.training_job import JobResources, TrainingJob, TrainingTask
from training.data.splits import FOLDS
from training.features.channels import ALL, Prepared, pair_of
from training.model.hyperparameters import Hyperparameters, for_rounds


@dataclass(frozen=True)
class TrainingOptions:
    """How a run is to be trained: for which stage, on what machines, how many jobs at a time, and without asking?"""

    stage: str
    machines: JobResources
    parallel: int = 5
    yes: bool = False


class RunJobs:
    """The jobs of a run by what they are for, found or to be made; their names begin with what the run is made of."""

    def __init__(
        self, account: Account, prepared: Prepared, hyperparameters: Hyperparameters, order: TrainingOptions
    ) -> None:
        machines = order.machines
        self._account = account
        self._hyperparameters = hyperparameters.stated
        self._order = order
        self._where = place(account, prepared, machines)
        self._purpose = purpose_of(prepared, hyperparameters.stated, machines)

    def fold(self, number: int) -> TrainingJob:
        """The job of a fold's pair of channels."""
        return self._find(pair_of(number), pair_of(number), self._hyperparameters, judged=True)

    def again(self, number: int, rounds: int) -> TrainingJob:
        """The job of a fold whose model stopped before so many rounds."""
        return self._find(f"{pair_of(number)}-again", pair_of(number), for_rounds(self._hyperparameters, rounds))

    def all(self, rounds: int) -> TrainingJob:
        """The job of all reviews."""
        return self._find(ALL, ALL, for_rounds(self._hyperparameters, rounds))

    def _find(self, label: str, pair: str, hyperparameters: dict[str, str], judged: bool = False) -> TrainingJob:
        machines = self._order.machines
        work = TrainingTask(
            purpose=f"{self._purpose}-{label}",
            hyperparameters=hyperparameters,
            train=self._where.train(pair, sharded=machines.instance_count > 1),
            validation=self._where.validation(pair) if judged else "",
        )
        return training_job.find(self._account, self._order.stage, work, machines)


def place(account: Account, prepared: Prepared, machines: JobResources) -> UploadedChannels:
    """Return where the channels lie once they are uploaded."""
    digest = digest_of(prepared)
    return UploadedChannels(bucket.uri(account, f"channels/{digest}"), digest, machines.instance_count, (), ())


def purpose_of(prepared: Prepared, stated: dict[str, str], machines: JobResources) -> str:
    """Return what the names of a run's jobs have in common: `train-5c1f20aa`."""
    made_of = [digest_of(prepared), training_job.sent(stated), vars(machines)]
    return f"train-{names.digest(made_of)}"


def items(aws: Aws, order: TrainingOptions, jobs: Sequence[TrainingJob]) -> list[Item]:
    """Return the plan's lines for jobs that do not exist yet."""
    return [Item("training job", job.name, price(aws, order.machines)) for job in jobs if not job.status]


def later(aws: Aws, order: TrainingOptions) -> list[Item]:
    """Return the plan's lines for jobs that get their names once the best number of rounds is known."""
    hourly = price(aws, order.machines)
    return [
        Item("training job, then", "on all reviews", hourly),
        Item(f"up to {FOLDS} more", "folds that stopped early, for the common number of rounds", hourly),
        Item("objects", bucket.uri(aws.account, "channels/ and jobs/"), PENNIES),
    ]


def price(aws: Aws, machines: JobResources) -> prices.Price:
    """Price one job's machines by the hour."""
    known = prices.instance("training", machines.instance_type, aws.account.region, machines.instance_count)
    return prices.Price(known.usd_per_hour, "less as a spare machine") if machines.spot else known


def propose_training(aws: Aws, order: TrainingOptions, wanted: Sequence[Item]) -> None:
    """Show what will be trained, and on what; raises `DeclinedError` unless it is agreed to."""
    machines = order.machines
    title = (
        f"Training on {machines.instance_count} x {machines.instance_type}, {machines.minutes} minutes a job at most"
    )
    propose(aws.console, title, wanted, order.yes)
