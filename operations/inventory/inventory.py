"""The inventory of this project's AWS resources, read from AWS each time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from operations.aws.account import Account
from operations.aws.names import MODEL_TAG
from operations.aws.prices import Price
from operations.inventory import deployed_app, hosting_resources, running_jobs, supporting_resources
from operations.inventory.costs import total_price
from operations.inventory.resources import BILLED, JOBS, Kind, Resource
from operations.inventory.search import Search

ENDPOINTS, THE_APP = "endpoints", "the app"
Finder = Callable[[Search], Iterator[Resource]]
FINDERS: dict[str, Finder] = {  # what is listed -> the function that lists it
    ENDPOINTS: hosting_resources.endpoints,
    "tuning jobs": partial(running_jobs.jobs, kind=Kind.TUNING_JOB),
    "training jobs": partial(running_jobs.jobs, kind=Kind.TRAINING_JOB),
    "transform jobs": partial(running_jobs.jobs, kind=Kind.TRANSFORM_JOB),
    "autoscaling": supporting_resources.scalable_targets,
    "alarms": supporting_resources.alarms,
    THE_APP: deployed_app.apps,
    "configurations": hosting_resources.configurations,
    "models": hosting_resources.models,
    "transform output": supporting_resources.transform_output,
    "tables of feedback": supporting_resources.feedback_tables,
    "model package groups": supporting_resources.package_groups,
    "log groups": supporting_resources.log_groups,
    "logs of jobs": supporting_resources.job_logs,
    "the bucket": supporting_resources.buckets,
    "the role": supporting_resources.roles,
}
HOURLY = (ENDPOINTS, "tuning jobs", "training jobs", "transform jobs")


@dataclass(frozen=True)
class Inventory:
    """The resources found; those named like ours without our tag; and what could not be listed, with the reasons."""

    resources: tuple[Resource, ...]
    untagged: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def of(self, *kinds: Kind) -> list[Resource]:
        """Return the resources of some kinds."""
        return [resource for resource in self.resources if resource.kind in kinds]

    @property
    def billed(self) -> list[Resource]:
        """The resources that are billed by time, use or storage."""
        return self.of(*BILLED)

    @property
    def jobs(self) -> list[Resource]:
        """The running jobs."""
        return self.of(*JOBS)

    @property
    def models_of_jobs(self) -> set[str]:
        """The models that were created for the running jobs, and are deleted with them."""
        return {job.tags[MODEL_TAG] for job in self.jobs if MODEL_TAG in job.tags}

    @property
    def hourly_price(self) -> Price:
        """The sum of the hourly prices."""
        return total_price(resource.price for resource in self.resources if resource.is_hourly)

    def is_unread(self, finder: str) -> bool:
        """Return whether a list of `FINDERS` could not be read, so that its resources may exist."""
        return any(reason.startswith(f"{finder}: ") for reason in self.unread)

    @property
    def stages(self) -> list[str]:
        """The stages of the resources, sorted."""
        return sorted({resource.stage for resource in self.resources if resource.stage})


def take(account: Account, stage: str | None = None, finders: Iterable[str] = tuple(FINDERS)) -> Inventory:
    """Find the resources of a stage, or (None) of all; those shared by all stages are always included.

    Raises `ClientError`, except for lists that the credentials may not read: these are named in `unread`.
    """
    search, found = Search(account, stage), list[Resource]()
    for finder in finders:
        with search.record_denied(finder):
            found += FINDERS[finder](search)
    return Inventory(tuple(found), tuple(dict.fromkeys(search.untagged)), tuple(search.unread))
