"""The jobs that run now. Those that have ended cost nothing, and AWS keeps its record of them for ever."""

from collections.abc import Iterator
from typing import Any

from operations.aws import prices
from operations.aws.errors import if_there
from operations.aws.names import RELEASE_TAG, STAGE_TAG
from operations.aws.plan import NOTHING
from operations.aws.prices import Price
from operations.inventory.resources import TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, Resource
from operations.inventory.search import Search

RUNNING = ("InProgress", "Stopping")


def training_jobs(search: Search) -> Iterator[Resource]:
    """Yield the training jobs that run, those of a tuning job among them."""
    for found, tags in _running(search, TRAINING_JOB, "list_training_jobs", "TrainingJob"):
        ask = search.account.client("sagemaker").describe_training_job
        described = if_there(ask, TrainingJobName=found["TrainingJobName"]) or {}
        machines = described.get("ResourceConfig", {})
        price = _price("training", machines, search.account.region)
        yield _job(TRAINING_JOB, "TrainingJob", found, tags, price, described.get("SecondaryStatus", ""))


def transform_jobs(search: Search) -> Iterator[Resource]:
    """Yield the transform jobs that run."""
    for found, tags in _running(search, TRANSFORM_JOB, "list_transform_jobs", "TransformJob"):
        ask = search.account.client("sagemaker").describe_transform_job
        described = if_there(ask, TransformJobName=found["TransformJobName"]) or {}
        price = _price("transform", described.get("TransformResources", {}), search.account.region)
        yield _job(TRANSFORM_JOB, "TransformJob", found, tags, price)


def tuning_jobs(search: Search) -> Iterator[Resource]:
    """Yield the tuning jobs that run; what they cost is what their training jobs cost."""
    listed = _running(search, TUNING_JOB, "list_hyper_parameter_tuning_jobs", "HyperParameterTuningJob")
    for found, tags in listed:
        counted = found.get("TrainingJobStatusCounters", {})
        seen = f"{counted.get('Completed', 0)} jobs done, {counted.get('InProgress', 0)} running"
        yield _job(TUNING_JOB, "HyperParameterTuningJob", found, tags, NOTHING, seen)


def _running(search: Search, kind: str, operation: str, member: str) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yield the summary and the tags of each job that is ours and has not ended."""
    for state in RUNNING:
        request = {"NameContains": search.prefix, "StatusEquals": state}
        for found in search.pages("sagemaker", operation, f"{member}Summaries", **request):
            tags = search.tags(kind, found[f"{member}Name"], found[f"{member}Arn"])
            if tags:
                yield found, tags


def _price(purpose: str, machines: dict[str, Any], region: str) -> Price:
    if "InstanceType" not in machines:
        return Price(None)
    return prices.instance(purpose, machines["InstanceType"], region, machines["InstanceCount"])


def _job(kind: str, member: str, found: Any, tags: dict[str, str], price: Price, seen: str = "") -> Resource:
    return Resource(
        kind=kind,
        name=found[f"{member}Name"],
        arn=found[f"{member}Arn"],
        stage=tags.get(STAGE_TAG, ""),
        release=tags.get(RELEASE_TAG, ""),
        state=f"{found[f'{member}Status']}{f', {seen}' if seen else ''}",
        created=found["CreationTime"],
        price=price,
        tags=tags,
    )
