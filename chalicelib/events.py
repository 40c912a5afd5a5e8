"""Lambda events: their conversion to API Gateway REST events, which are the only requests that Chalice reads.

Function URLs and HTTP APIs (payload format 2.0) and Application Load Balancers are converted. An event that is not a
request, such as a scheduled one that keeps the function warm, has no conversion. Source: the AWS documentation of each
service's event format.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

Event = dict[str, Any]

NOT_FOUND_ROUTE = "/{path}"
_WARM_UP_SOURCES = {"aws.events", "serverless-plugin-warmup"}
_TEXT_FIELDS = ("httpMethod", "path", "resourcePath", "requestId", "stage", "rawPath", "rawQueryString")
_MAPPINGS = ("headers", "pathParameters", "queryStringParameters")
_MULTI_VALUE_MAPPINGS = ("multiValueHeaders", "multiValueQueryStringParameters")
_WARM_UP_KEYS = {"warmer", "warmup", "warm-up", "ping"}


def rest_event(event: object, routes: Iterable[str], request_id: str) -> Event | None:
    """Return the REST event of a request, or None if the event is not a request, or has fields of other types.

    `request_id` is used where the event has none. A path without a route gets `NOT_FOUND_ROUTE`.
    """
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return None
    context = event["requestContext"]
    if not _is_well_formed(event, context):
        return None
    if isinstance(context.get("http"), dict):
        return _of_payload_2(event, routes, request_id)
    if "elb" in context:
        return _of_load_balancer(event, routes, request_id)
    if "httpMethod" not in context:
        return None
    path = str(context.get("path") or event.get("path") or "/")
    route, parameters = _match(path, str(context.get("stage", "")), routes)
    if context.get("resourcePath") in set(routes):
        route, parameters = context["resourcePath"], event.get("pathParameters") or {}
    request_id = context.get("requestId") or request_id
    context = {**context, "requestId": request_id, "path": path, "resourcePath": route}
    optional = dict.fromkeys(("headers", "multiValueQueryStringParameters", "stageVariables", "body"))
    return {**optional, **event, "pathParameters": parameters, "requestContext": context}


def response_for(event: Event, response: Event) -> Event:
    """Return a response in the form that the sender of the event reads.

    A load balancer that sends multi-value headers reads no others.
    """
    if "elb" not in event["requestContext"] or "multiValueHeaders" not in event:
        return response
    single = {name: [value] for name, value in response["headers"].items()}
    return {**response, "multiValueHeaders": {**single, **response["multiValueHeaders"]}}


def is_warm_up(event: object) -> bool:
    """Return whether an event only keeps the function warm: a schedule of EventBridge, or a warm-up plugin's ping."""
    if not isinstance(event, dict):
        return False
    source = event.get("source")
    return (isinstance(source, str) and source in _WARM_UP_SOURCES) or not _WARM_UP_KEYS.isdisjoint(event)


def _is_well_formed(event: Event, context: Event) -> bool:
    """Return whether the fields that are read have the types that the services give them; each may be missing."""
    fields = {**event, **context}
    texts = [fields.get(name) for name in _TEXT_FIELDS]
    mappings = [event.get(name) for name in (*_MAPPINGS, *_MULTI_VALUE_MAPPINGS)]
    if not all(text is None or isinstance(text, str) for text in (*texts, event.get("path"))):
        return False
    if not isinstance(event.get("body") or "", str | bytes):  # `chalice local` sends bytes
        return False
    if not all(mapping is None or isinstance(mapping, dict) for mapping in mappings):
        return False
    values = [value for name in _MAPPINGS for value in (event.get(name) or {}).values()]
    lists = [value for name in _MULTI_VALUE_MAPPINGS for value in (event.get(name) or {}).values()]
    return all(isinstance(value, str) for value in values) and all(_is_list_of_texts(value) for value in lists)


def _is_list_of_texts(value: object) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _of_payload_2(event: Event, routes: Iterable[str], request_id: str) -> Event:
    """Convert an event of a Function URL or an HTTP API; its headers are joined by commas already."""
    context = event["requestContext"]
    method, path = str(context["http"].get("method", "GET")), str(event.get("rawPath") or "/")
    route, parameters = _match(path, str(context.get("stage", "")), routes)
    query = parse_qs(str(event.get("rawQueryString") or ""), keep_blank_values=True)
    request_id = str(context.get("requestId") or request_id)
    return _event(event, method, path, route, parameters, query, _headers(event), request_id)


def _of_load_balancer(event: Event, routes: Iterable[str], request_id: str) -> Event:
    """Convert an event of an Application Load Balancer, with or without multi-value headers; its query is encoded."""
    method, path = str(event.get("httpMethod", "GET")), str(event.get("path") or "/")
    route, parameters = _match(path, "", routes)
    single = {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}
    several = event.get("multiValueQueryStringParameters") or single
    query = {unquote(name): [unquote(str(value)) for value in values] for name, values in several.items()}
    return _event(event, method, path, route, parameters, query, _headers(event), request_id)


def _headers(event: Event) -> dict[str, str]:
    """Return the headers, with the values of repeated ones joined by commas."""
    headers = {name: ", ".join(map(str, values)) for name, values in (event.get("multiValueHeaders") or {}).items()}
    return headers or dict(event.get("headers") or {})


def _event(
    event: Event,
    method: str,
    path: str,
    route: str,
    parameters: Mapping[str, str],
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
    request_id: str,
) -> Event:
    """Return a REST event with the fields that Chalice reads."""
    return {
        "requestContext": {"httpMethod": method, "resourcePath": route, "path": path, "requestId": request_id},
        "headers": dict(headers),
        "pathParameters": dict(parameters),
        "multiValueQueryStringParameters": dict(query) or None,
        "stageVariables": None,
        "body": event.get("body"),
        "isBase64Encoded": bool(event.get("isBase64Encoded")),
    }


def _match(path: str, stage: str, routes: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the route of a path, which may begin with the stage's name, and its path parameters."""
    segments = [unquote(segment) for segment in path.split("/") if segment]
    if stage and segments[:1] == [stage]:
        segments = segments[1:]
    for route in sorted(routes):  # "{" sorts after letters, so a fixed segment precedes a parameter
        names = [segment for segment in route.split("/") if segment]
        pairs = list(zip(names, segments, strict=False))
        if len(names) == len(segments) and all(name == segment or name.startswith("{") for name, segment in pairs):
            return route, {name[1:-1]: segment for name, segment in pairs if name.startswith("{")}
    return NOT_FOUND_ROUTE, {"path": "/".join(segments)}
