"""Operations that all kinds of resources share: Describe, List, Delete, and tags.

Which members a response has is read from botocore's service model.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import botocore.session

from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind, ServiceError, SimulatedResource
from simulator.sagemaker.service import Operation

PAGE_SIZE = 10  # if a request has no MaxResults
MAX_TAGS = 50
_ASCENDING = (  # list operations whose default SortOrder is Ascending, from the service model's documentation
    *("ListTrainingJobs", "ListHyperParameterTuningJobs", "ListTrainingJobsForHyperParameterTuningJob"),
    *("ListModelPackages", "ListModelPackageGroups"),
)
_BY_NAME = ("ListHyperParameterTuningJobs", "ListTrainingJobsForHyperParameterTuningJob")  # default SortBy, likewise
_NEVER_MATCHED = ("WarmPoolStatusEquals", "TrainingPlanArnEquals")  # filters on what no simulated job has
FactsOf = Callable[[Backend, SimulatedResource], dict[str, Any]]


def stored_facts(_: Backend, resource: SimulatedResource) -> dict[str, Any]:
    """Return a resource's facts as they are stored."""
    return resource.facts


def resource_operations(kind: ResourceKind, facts_of: FactsOf = stored_facts) -> dict[str, Operation]:
    """Return the operations Describe, List and Delete of a kind of resource."""

    def describe(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
        facts = facts_of(backend, backend.find(kind, request[kind.name_member]))
        return _select(facts, tuple(_output_shape(f"Describe{kind.api_name}").members))

    def list_all(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
        return page(f"List{kind.api_name}s", request, backend.all_of(kind), partial(facts_of, backend))

    def delete(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
        resource = backend.find(kind, request[kind.name_member])
        if resource.is_running:
            raise ServiceError(kind.running_code, f"{resource.arn} is in status {resource.status}. Stop it first.")
        backend.remove(resource)
        return {}

    return {
        f"Describe{kind.api_name}": describe,
        f"List{kind.api_name}s": list_all,
        f"Delete{kind.api_name}": delete,
    }


def page(
    operation: str,
    request: dict[str, Any],
    resources: Iterable[SimulatedResource],
    facts_of: Callable[[SimulatedResource], dict[str, Any]],
    sort_key: Callable[[SimulatedResource], Any] | None = None,
) -> dict[str, Any]:
    """Return one page of a list operation; `sort_key` overrides the request's SortBy.

    Supports all filters of the operations. Times are seconds since 1970.
    """
    by_default = "Name" if operation in _BY_NAME else "CreationTime"
    key = sort_key or _SORT_KEYS[request.get("SortBy", by_default)]
    found = sorted((found for found in resources if _matches(found, request)), key=key)
    if request.get("SortOrder", "Ascending" if operation in _ASCENDING else "Descending") == "Descending":
        found.reverse()
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise InvalidRequestError("Invalid pagination token.")
    end = int(token) + request.get("MaxResults", PAGE_SIZE)
    summaries = [summarize(operation, facts_of(resource)) for resource in found[int(token) : end]]
    return {_summary_shape(operation)[0]: summaries} | ({"NextToken": str(end)} if end < len(found) else {})


def summarize(operation: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return those of a resource's facts that are members of a list operation's summaries."""
    return _select(facts, _summary_shape(operation)[1])


def _select(facts: dict[str, Any], members: Iterable[str]) -> dict[str, Any]:
    return {member: facts[member] for member in members if member in facts}


@cache
def _output_shape(operation: str) -> Any:
    """Load the shape of an operation's response."""
    return botocore.session.get_session().get_service_model("sagemaker").operation_model(operation).output_shape


@cache
def _summary_shape(operation: str) -> tuple[str, tuple[str, ...]]:
    """Return a list operation's member for the summaries and the members of one summary."""
    members = _output_shape(operation).members.items()
    return next((name, tuple(shape.member.members)) for name, shape in members if shape.type_name == "list")


def _creation_time(resource: SimulatedResource) -> float:
    """Return seconds since 1970."""
    return float(resource.facts["CreationTime"].timestamp())


def _last_modified_time(resource: SimulatedResource) -> float:
    """Return seconds since 1970."""
    return float(resource.facts.get("LastModifiedTime", resource.facts["CreationTime"]).timestamp())


_SORT_KEYS: dict[str, Callable[[SimulatedResource], Any]] = {
    "Name": lambda resource: resource.name,
    "CreationTime": _creation_time,
    "Status": lambda resource: resource.status,
}


def _matches(resource: SimulatedResource, request: dict[str, Any]) -> bool:
    """Check a resource against a list request's filters."""
    return bool(
        request.get("NameContains", "") in resource.name
        and request.get("StatusEquals") in (None, resource.status)
        and not any(request.get(member) for member in _NEVER_MATCHED)
        and _is_between(request, "CreationTime", _creation_time(resource))
        and _is_between(request, "LastModifiedTime", _last_modified_time(resource))
    )


def _is_between(request: dict[str, Any], member: str, seconds: float) -> bool:
    """Check a time against a request's `After` and `Before`."""
    return float(request.get(f"{member}After", "-inf")) <= seconds <= float(request.get(f"{member}Before", "inf"))


def add_tags(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags; returns all tags of the resource."""
    tags = _tags_of(backend, request)
    merged = tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    if len(merged) > MAX_TAGS:
        raise ServiceError("ResourceLimitExceeded", f"A resource can have at most {MAX_TAGS} tags.")
    tags.update(merged)
    return list_tags(backend, request)


def list_tags(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List a resource's tags, all on one page."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in _tags_of(backend, request).items()]}


def delete_tags(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Delete tags; absent keys are ignored."""
    tags = _tags_of(backend, request)
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def _tags_of(backend: Backend, request: dict[str, Any]) -> dict[str, str]:
    arn = request["ResourceArn"]
    if arn not in backend.tags:
        raise InvalidRequestError(f"Could not find resource {arn}.")
    return backend.tags[arn]


TAG_OPERATIONS: dict[str, Operation] = {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}
