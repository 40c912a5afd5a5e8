"""The Search operation: resources by conditions on their properties, sorted and in pages.

From the service model's documentation. Inferred are the size of a page without MaxResults, the messages, and that a
resource without a property satisfies NotEquals.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session

from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind, SimulatedResource
from simulator.sagemaker.hosting.endpoint_lifecycle import ENDPOINT
from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from simulator.sagemaker.jobs.tuning_run import TUNING_JOB
from simulator.sagemaker.model_packages import GROUP, PACKAGE
from simulator.sagemaker.service import Operation

PAGE_SIZE = 10  # if a request has no MaxResults
MAX_CONTAINS = 1
_KINDS: dict[str, ResourceKind] = {kind.api_name: kind for kind in (TRAINING_JOB, TUNING_JOB, ENDPOINT, PACKAGE, GROUP)}
_NOT_SEARCHED = ("Model",)  # exists here, but its record is that of the model dashboard
_BY_KEY = ("Tags", "Metrics", "HyperParameters")  # the rest of a name is one key, which may have dots
Record = Mapping[str, Any]


def search_operation(operations: Mapping[str, Operation]) -> Operation:
    """Return the operation; a record has the members of its resource's Describe operation, and its tags."""

    def search(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
        resource = request["Resource"]
        if resource in _NOT_SEARCHED:
            raise InvalidRequestError(f"The simulator does not search {resource}.")
        expression = request.get("SearchExpression", {})
        _check_expression(resource, expression)
        kind = _KINDS.get(resource)
        if not kind or request.get("CrossAccountFilterOption") == "CrossAccount":
            return _page(resource, [], request)
        describe = operations[f"Describe{resource}"]
        records = [_record(backend, describe, found) for found in backend.all_of(kind)]
        return _page(resource, [record for record in records if _satisfies(record, expression)], request)

    return search


def _record(backend: Backend, describe: Operation, found: SimulatedResource) -> Record:
    """Return a resource as Search does."""
    described = describe(backend, {found.kind.name_member: found.name})
    tags = [{"Key": key, "Value": value} for key, value in backend.tags.get(found.arn, {}).items()]
    members = _members(found.kind.api_name)
    return {name: value for name, value in (described | {"Tags": tags}).items() if name in members}


@cache
def _members(resource: str) -> frozenset[str]:
    """Return the properties of a resource's record."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    record = model.shape_for("SearchRecord").members.get(resource)
    return frozenset(record.members) if record else frozenset()


def _page(resource: str, records: list[Record], request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of the sorted records."""
    by = request.get("SortBy", "LastModifiedTime")
    if "SortBy" in request:
        _check_property(resource, by)
    records = sorted(records, key=lambda record: _sort_key(record, by))
    if request.get("SortOrder", "Descending") == "Descending":
        records.reverse()
    token = request.get("NextToken") or "0"
    if not token.isdecimal():
        raise InvalidRequestError("Invalid pagination token.")
    end = int(token) + request.get("MaxResults", PAGE_SIZE)
    return {
        "Results": [{resource: record} for record in records[int(token) : end]],
        "TotalHits": {"Value": len(records), "Relation": "EqualTo"},
    } | ({"NextToken": str(end)} if end < len(records) else {})


def _sort_key(record: Record, name: str) -> tuple[int, Any]:
    """Return what sorts a record: resources without the property come first, then numbers and times, then texts."""
    value = next(_values(record, name), record["CreationTime"] if name == "LastModifiedTime" else None)
    number = _number(value)
    return (0, 0) if value is None else (1, number) if number is not None else (2, str(value))


def _check_expression(resource: str, expression: dict[str, Any]) -> None:
    """Raise `ServiceError` unless every filter of an expression has a property of the resource."""
    if expression and not any(expression.get(part) for part in ("Filters", "NestedFilters", "SubExpressions")):
        raise InvalidRequestError("SearchExpression must have at least one filter, nested filter or subexpression.")
    filters = list(_filters(expression))
    for found in filters:
        _check_property(resource, found["Name"])
    if sum(found.get("Operator") == "Contains" for found in filters) > MAX_CONTAINS:
        raise InvalidRequestError(f"'CONTAINS' operator usage limit of {MAX_CONTAINS} exceeded.")


def _filters(expression: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all filters of an expression."""
    yield from expression.get("Filters", ())
    for nested in expression.get("NestedFilters", ()):
        yield from nested["Filters"]
    for part in expression.get("SubExpressions", ()):
        yield from _filters(part)


def _check_property(resource: str, name: str) -> None:
    """Raise `ServiceError` unless a resource has a property; those of resources that are not simulated are unknown."""
    if resource in _KINDS and name.partition(".")[0] not in {*_members(resource), "Metrics"}:
        raise InvalidRequestError(f"Unknown property name: {name}.")


def _satisfies(record: Record, expression: dict[str, Any]) -> bool:
    """Return whether a record satisfies an expression."""
    parts = [
        *(_matches(record, found["Name"], found) for found in expression.get("Filters", ())),
        *(_has_item(record, nested) for nested in expression.get("NestedFilters", ())),
        *(_satisfies(record, part) for part in expression.get("SubExpressions", ())),
    ]
    return any(parts) if expression.get("Operator") == "Or" else all(parts)


def _has_item(record: Record, nested: dict[str, Any]) -> bool:
    """Return whether one item of a list satisfies all filters, whose names begin with that of the list."""
    prefix = f"{nested['NestedPropertyName']}."
    return any(
        all(_matches(item, found["Name"].removeprefix(prefix), found) for found in nested["Filters"])
        for item in _values(record, nested["NestedPropertyName"])
    )


def _values(value: Any, name: str) -> Iterator[Any]:
    """Yield the values of a property such as `InputDataConfig.ChannelName`: several if there are lists on its way."""
    if isinstance(value, list):
        for item in value:
            yield from _values(item, name)
        return
    if not name:
        yield value
        return
    first, _, rest = name.partition(".")
    if rest and first in _BY_KEY:
        yield from (found for key, found in _by_key(value, first).items() if key == rest)
    elif isinstance(value, Mapping) and first in value:
        yield from _values(value[first], rest)


def _by_key(record: Record, member: str) -> dict[str, Any]:
    """Return the tags, the final metrics or the hyperparameters of a record."""
    if member == "Tags":
        return {tag["Key"]: tag["Value"] for tag in record.get("Tags", ())}
    if member == "Metrics":
        return {metric["MetricName"]: metric["Value"] for metric in record.get("FinalMetricDataList", ())}
    return dict(record.get("HyperParameters", {}))


def _matches(record: Record, name: str, condition: dict[str, Any]) -> bool:
    """Return whether a property satisfies a filter; with lists, one of its values must."""
    values = list(_values(record, name))
    operator = condition.get("Operator", "Equals" if "Value" in condition else "Exists")
    if operator in ("Exists", "NotExists"):
        return (len(values) > 0) is (operator == "Exists")
    wanted = condition.get("Value", "")
    if operator == "NotEquals":
        return not any(_compare(value, "Equals", wanted) for value in values)
    return any(_compare(value, operator, wanted) for value in values)


def _compare(value: Any, operator: str, wanted: str) -> bool:
    """Compare a value with that of a filter."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if operator == "Contains":
        return wanted in text
    if operator == "In":
        return text in [part.strip() for part in wanted.split(",")]
    number, bound = _number(value), _number(wanted, like=value)
    if number is None or bound is None:
        if operator != "Equals":
            raise InvalidRequestError(f"The operator {operator} is not supported for text properties.")
        return text == wanted
    if isinstance(value, str) and "." not in wanted:  # a decimal hyperparameter beside an integer
        number = float(int(number))
    return _ORDERS[operator](number, bound)


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda number, bound: number == bound,
    "GreaterThan": lambda number, bound: number > bound,
    "GreaterThanOrEqualTo": lambda number, bound: number >= bound,
    "LessThan": lambda number, bound: number < bound,
    "LessThanOrEqualTo": lambda number, bound: number <= bound,
}


def _number(value: Any, like: Any = None) -> float | None:
    """Return a number, or a time in seconds since 1970; None for a text. `like` a time, a text is read as one."""
    if isinstance(value, datetime):
        return value.timestamp()
    try:
        if isinstance(like, datetime):
            when = datetime.fromisoformat(value)
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
