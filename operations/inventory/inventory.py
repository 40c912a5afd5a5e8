"""Everything that exists on AWS because of this project, asked of AWS itself each time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from operations.aws.account import Account
from operations.aws.prices import Price
from operations.inventory import deployed_app, hosted, jobs, supporting
from operations.inventory.resources import BILLED, JOBS, Resource
from operations.inventory.search import Search
from operations.inventory.spending import total

ENDPOINTS, THE_APP = "endpoints", "the app"
Finder = Callable[[Search], Iterator[Resource]]
FINDERS: dict[str, Finder] = {  # what is listed -> how
    ENDPOINTS: hosted.endpoints,
    "tuning jobs": jobs.tuning_jobs,
    "training jobs": jobs.training_jobs,
    "transform jobs": jobs.transform_jobs,
    "autoscaling": supporting.scalable_targets,
    "alarms": supporting.alarms,
    THE_APP: deployed_app.apps,
    "configurations": hosted.configurations,
    "models": hosted.models,
    "transform output": supporting.transformed,
    "model package groups": supporting.package_groups,
    "log groups": supporting.log_groups,
    "logs of jobs": supporting.job_logs,
    "the bucket": supporting.buckets,
    "the role": supporting.roles,
}
BY_THE_HOUR = (ENDPOINTS, "tuning jobs", "training jobs", "transform jobs")


@dataclass(frozen=True)
class Inventory:
    """What was found. `strangers` are named like ours and lack our tag; `unread` could not be listed, and why."""

    resources: tuple[Resource, ...]
    strangers: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def of(self, *kinds: str) -> list[Resource]:
        """Return the resources of some kinds."""
        return [resource for resource in self.resources if resource.kind in kinds]

    @property
    def billed(self) -> list[Resource]:
        """What can cost something: by the hour, by use, or by what it keeps."""
        return self.of(*BILLED)

    @property
    def jobs(self) -> list[Resource]:
        """The jobs that run."""
        return self.of(*JOBS)

    @property
    def by_the_hour(self) -> Price:
        """What all of it costs by the hour."""
        return total(resource.price for resource in self.resources if resource.is_hourly)

    def is_unread(self, what: str) -> bool:
        """Tell whether one of `FINDERS` could not be listed: what it would have found may be there."""
        return any(one.startswith(f"{what}: ") for one in self.unread)

    @property
    def stages(self) -> list[str]:
        """The stages that anything is of, in the order of their names."""
        return sorted({resource.stage for resource in self.resources if resource.stage})


def take(account: Account, stage: str | None = None, what: Iterable[str] = tuple(FINDERS)) -> Inventory:
    """Find what exists for a stage, or (None) for all; what the stages share is in it either way.

    Raises what boto3 raises, but for a listing that is not permitted: that is named in `unread`.
    """
    search, found = Search(account, stage), list[Resource]()
    for name in what:
        with search.reading(name):
            found += FINDERS[name](search)
    return Inventory(tuple(found), tuple(dict.fromkeys(search.strangers)), tuple(search.unread))
