"""API Gateway's data plane: serves deployed apps at `/_site/<api>/<stage>/...` by calling their Lambda functions.

A stage keeps the definition that it was deployed with. Definitions come from the accepted requests to the control plane
(moto): whole Swagger documents, as `chalice` sends them. Not simulated: APIs built resource by resource, authorizers,
throttling, caching.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chalice.local import RouteMatcher

from simulator.apps.lambda_runtime import FunctionError
from simulator.apps.proxy_integration import Target, http_response, lambda_event
from simulator.http.messages import HttpRequest, HttpResponse, json_response
from simulator.moto import swagger

SITE_PATH = "/_site"
LARGEST_BODY_BYTES = 10 * 1024 * 1024
_FUNCTION = re.compile(r":function:([^:/]+)")
Invoke = Callable[[str, str, dict[str, Any]], Any]  # (region, function, event) -> its result; raises FunctionError


@dataclass(frozen=True)
class Stage:
    """A deployed definition."""

    region: str
    paths: dict[str, dict[str, Any]]  # "/static/{name}" -> method in lower case -> operation
    binary_types: tuple[str, ...]
    smallest_gzip_bytes: int | None


@dataclass
class Api:
    """A REST API: its current definition, and its stages."""

    region: str
    document: dict[str, Any]
    smallest_gzip_bytes: int | None = None
    stages: dict[str, Stage] = field(default_factory=dict)


class Gateway:
    """The account's APIs."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke
        self._lock = threading.Lock()
        self._apis: dict[str, Api] = {}

    @property
    def sites(self) -> dict[str, str]:
        """The path of each API's last deployed stage."""
        with self._lock:
            return {
                name: f"{SITE_PATH}/{name}/{list(api.stages)[-1]}/" for name, api in self._apis.items() if api.stages
            }

    def update(self, request: HttpRequest, response: HttpResponse) -> None:
        """Apply a request to the control plane, if it was accepted."""
        if response.status >= 300:
            return
        with self._lock:
            match [request.method, *request.segments]:
                case ["POST", "restapis"] if request.args.get("mode") == "import":
                    api_id = json.loads(response.body)["id"]
                    self._apis[api_id] = Api(request.scope[0], swagger.parse(request.body))
                case [method, "restapis", api_id, *rest] if api_id in self._apis:
                    self._update_api(api_id, method, rest, request.body)

    def _update_api(self, api_id: str, method: str, rest: list[str], body: bytes) -> None:
        """Apply a request about a known API."""
        api = self._apis[api_id]
        match [method, *rest]:
            case ["PUT"]:
                api.document = swagger.parse(body)
            case ["PATCH"]:
                for operation in json.loads(body)["patchOperations"]:
                    if operation["path"] == "/minimumCompressionSize":
                        api.smallest_gzip_bytes = int(operation["value"]) if operation.get("value") else None
            case ["DELETE"]:
                del self._apis[api_id]
            case ["POST", "deployments"]:
                api.stages[json.loads(body)["stageName"]] = _stage(api)
            case ["DELETE", "stages", stage]:
                api.stages.pop(stage, None)

    def handle(self, request: HttpRequest, api: str, path: str, base_path: str) -> HttpResponse:
        """Answer a request to an API; `path` begins with the stage, `base_path` is what precedes it."""
        stage_name, _, rest = path.partition("/")
        with self._lock:
            stage = self._apis[api].stages.get(stage_name) if api in self._apis else None
        if not stage:
            return _error(403, "Forbidden")
        if len(request.body) > LARGEST_BODY_BYTES:
            return _error(413, "Request Too Long")
        match = _route(stage, f"/{rest}", request.method)
        if not match:
            return _error(403, "Missing Authentication Token")
        resource, parameters, operation = match
        integration = operation["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":
            return _mock_response(integration)
        target = Target(api, stage_name, resource, f"/{rest}", parameters, f"{base_path}/{stage_name}")
        return self._call_function(request, stage, target, integration["uri"])

    def _call_function(self, request: HttpRequest, stage: Stage, target: Target, uri: str) -> HttpResponse:
        """Return the function's response; a 502 if it fails."""
        event = lambda_event(request, target, stage.binary_types)
        function = _FUNCTION.search(uri)
        try:
            result = self._invoke(stage.region, function[1] if function else "", event)
            return http_response(result, request, stage.binary_types, stage.smallest_gzip_bytes)
        except (FunctionError, ValueError):
            return _error(502, "Internal server error")


def _stage(api: Api) -> Stage:
    """Deploy the current definition of an API."""
    binary_types = tuple(api.document.get("x-amazon-apigateway-binary-media-types", ()))
    return Stage(api.region, api.document.get("paths", {}), binary_types, api.smallest_gzip_bytes)


def _route(stage: Stage, path: str, method: str) -> tuple[str, dict[str, str], dict[str, Any]] | None:
    """Return the resource, its path parameters and its operation; None if the API does not define them."""
    try:
        match = RouteMatcher(list(stage.paths)).match_route(path)
    except ValueError:
        return None
    operation = stage.paths[match.route].get(method.lower())
    if not operation:
        return None
    return match.route, {name: unquote(value) for name, value in match.captured.items()}, operation


def _mock_response(integration: dict[str, Any]) -> HttpResponse:
    """Answer a CORS preflight with the headers of the definition."""
    response = integration["responses"]["default"]
    headers = {
        name.removeprefix("method.response.header."): value.strip("'")
        for name, value in response.get("responseParameters", {}).items()
    }
    return HttpResponse(int(response["statusCode"]), b"", {"Content-Type": "application/json", **headers})


def _error(status: int, message: str) -> HttpResponse:
    return json_response({"message": message}, status)
