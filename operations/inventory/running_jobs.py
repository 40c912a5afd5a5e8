"""Running training, tuning and transform jobs. Ended jobs cost nothing, and their records cannot be deleted."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from operations.aws.account import Account
from operations.aws.errors import if_there
from operations.aws.names import RELEASE_TAG, STAGE_TAG
from operations.aws.plan import NO_COST
from operations.aws.prices import Price, PriceList
from operations.inventory.resources import Kind, Resource
from operations.inventory.search import Search

RUNNING = ("InProgress", "Stopping")
API_NAMES = {
    Kind.TRAINING_JOB: "TrainingJob",
    Kind.TRANSFORM_JOB: "TransformJob",
    Kind.TUNING_JOB: "HyperParameterTuningJob",
}
_OPERATIONS = {
    Kind.TRAINING_JOB: ("list_training_jobs", "describe_training_job", "stop_training_job"),
    Kind.TRANSFORM_JOB: ("list_transform_jobs", "describe_transform_job", "stop_transform_job"),
    Kind.TUNING_JOB: (
        "list_hyper_parameter_tuning_jobs",
        "describe_hyper_parameter_tuning_job",
        "stop_hyper_parameter_tuning_job",
    ),
}
_LIST, _DESCRIBE, _STOP = range(3)
_INSTANCES = {
    Kind.TRAINING_JOB: ("training", "ResourceConfig"),
    Kind.TRANSFORM_JOB: ("transform", "TransformResources"),
}


def job_operation(account: Account, verb: str, kind: Kind, name: str) -> Callable[[], Any]:
    """Return an operation on a job as a function: `job_operation(account, "Describe", Kind.TRAINING_JOB, "x")`."""
    operation = getattr(account.client("sagemaker"), _OPERATIONS[kind][{"Describe": _DESCRIBE, "Stop": _STOP}[verb]])
    return partial(operation, **{f"{API_NAMES[kind]}Name": name})


def jobs(search: Search, kind: Kind) -> Iterator[Resource]:
    """Yield our running jobs of a kind."""
    member = API_NAMES[kind]
    for status in RUNNING:
        request = {"NameContains": search.prefix, "StatusEquals": status}
        for summary in search.pages("sagemaker", _OPERATIONS[kind][_LIST], f"{member}Summaries", **request):
            tags = search.tags(kind, summary[f"{member}Name"], summary[f"{member}Arn"])
            if tags:
                yield _resource(search.account, kind, summary, tags)


def _resource(account: Account, kind: Kind, summary: dict[str, Any], tags: dict[str, str]) -> Resource:
    """Combine a job's summary and description."""
    member = API_NAMES[kind]
    name = summary[f"{member}Name"]
    description = if_there(job_operation(account, "Describe", kind, name)) or {}
    status = [summary[f"{member}Status"], _progress(kind, summary, description)]
    return Resource(
        kind=kind,
        name=name,
        arn=summary[f"{member}Arn"],
        stage=tags.get(STAGE_TAG, ""),
        release=tags.get(RELEASE_TAG, ""),
        state=", ".join(filter(None, status)),
        created=summary["CreationTime"],
        price=_price(kind, description, account.prices),
        tags=tags,
    )


def _progress(kind: Kind, summary: dict[str, Any], description: dict[str, Any]) -> str:
    """Return the phase of a training job, or the progress of a tuning job."""
    if kind == Kind.TUNING_JOB:
        counts = summary.get("TrainingJobStatusCounters", {})
        return f"{counts.get('Completed', 0)} jobs completed, {counts.get('InProgress', 0)} running"
    return str(description.get("SecondaryStatus", ""))


def _price(kind: Kind, description: dict[str, Any], price_list: PriceList) -> Price:
    """Return the price of a job's instances; a tuning job costs what its training jobs cost."""
    if kind == Kind.TUNING_JOB:
        return NO_COST
    purpose, member = _INSTANCES[kind]
    instances = description.get(member, {})
    if "InstanceType" not in instances:
        return Price(None)
    return price_list.instance(purpose, instances["InstanceType"], instances["InstanceCount"])
