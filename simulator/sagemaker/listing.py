"""List operations: filters, order and pages, as all of SageMaker's lists take them."""

from collections.abc import Callable, Sequence
from typing import Any

from simulator.sagemaker.backend import Resource, ServiceError

PAGE = 10  # what a page holds unless MaxResults says otherwise


def page(
    resources: Sequence[Resource],
    request: dict[str, Any],
    member: str,
    summary: Callable[[Resource], dict[str, Any]],
    status_key: str = "",
) -> dict[str, Any]:
    """Return a page of a list: `{member: [summary, ...], "NextToken": ...}`, the token only where there is more.

    Reads `NameContains`, `StatusEquals`, `CreationTimeAfter`/`Before` (seconds since 1970), `SortBy` (Name or
    CreationTime), `SortOrder` (Descending unless said), `MaxResults` and `NextToken`.
    """
    found = [one for one in resources if _matches(one, request, status_key)]
    by_name = request.get("SortBy") == "Name"
    found.sort(key=lambda one: one.name if by_name else one.facts["CreationTime"].timestamp())
    if request.get("SortOrder", "Descending") == "Descending":
        found.reverse()
    start = _start(request)
    end = start + int(request.get("MaxResults", PAGE))
    answer: dict[str, Any] = {member: [summary(one) for one in found[start:end]]}
    return answer | ({"NextToken": str(end)} if end < len(found) else {})


def _start(request: dict[str, Any]) -> int:
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ServiceError("ValidationException", "Invalid pagination token.")
    return int(token)


def _matches(one: Resource, request: dict[str, Any], status_key: str) -> bool:
    """Tell whether a resource passes the filters."""
    created = one.facts["CreationTime"].timestamp()
    return (
        request.get("NameContains", "") in one.name
        and request.get("StatusEquals") in (None, one.facts.get(status_key))
        and float(request.get("CreationTimeAfter", "-inf")) <= created
        and created <= float(request.get("CreationTimeBefore", "inf"))
    )
