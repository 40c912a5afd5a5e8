"""API Gateway's data plane: what `chalice deploy` deployed answers at `/_site/<api>/<stage>/...`, by its function.

A stage serves the definition that it was deployed with, however the API changes after that. Definitions are learned
from the requests that the control plane (moto) has granted: whole swagger documents, as `chalice` sends them. What it
does not do: APIs made resource by resource, authorizers, throttling, caching.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from simulator.apps import swagger
from simulator.apps.lambda_runtime import FunctionError
from simulator.apps.proxy_event import Target, answer_of, event_of
from simulator.wire import Answer, Request, json_answer

SITE_PATH = "/_site"
LARGEST_BODY_BYTES = 10 * 1024 * 1024
_FUNCTION = re.compile(r":function:([^:/]+)")
Invoke = Callable[[str, str, dict[str, Any]], Any]  # (region, function, event) -> what it returns; FunctionError


@dataclass(frozen=True)
class Stage:
    """A deployed definition."""

    region: str
    paths: dict[str, dict[str, Any]]  # "/static/{name}" -> method in lower case -> operation
    binary_types: tuple[str, ...]
    smallest_gzip_bytes: int | None


@dataclass
class Api:
    """A REST API: its definition as it stands, and its stages."""

    region: str
    document: dict[str, Any]
    smallest_gzip_bytes: int | None = None
    stages: dict[str, Stage] = field(default_factory=dict)


class Gateway:
    """The APIs of the account, and the requests that come to them."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke
        self._lock = threading.Lock()
        self._apis: dict[str, Api] = {}

    @property
    def sites(self) -> dict[str, str]:
        """The paths that answer: API -> the stage that was deployed last."""
        with self._lock:
            return {api: f"{SITE_PATH}/{api}/{list(one.stages)[-1]}/" for api, one in self._apis.items() if one.stages}

    def learn(self, request: Request, answer: Answer) -> None:
        """Take note of a request to API Gateway's control plane that was granted."""
        if answer.status >= 300:
            return
        with self._lock:
            match [request.method, *request.segments]:
                case ["POST", "restapis"] if request.query.get("mode") == "import":
                    identity = json.loads(answer.body)["id"]
                    self._apis[identity] = Api(request.scope[0], swagger.read(request.body))
                case [method, "restapis", identity, *rest] if identity in self._apis:
                    self._learn_of(self._apis[identity], method, identity, rest, request.body)

    def _learn_of(self, api: Api, method: str, identity: str, rest: list[str], body: bytes) -> None:
        """Take note of a request about an API that is known."""
        match [method, *rest]:
            case ["PUT"]:
                api.document = swagger.read(body)
            case ["PATCH"]:
                for operation in json.loads(body)["patchOperations"]:
                    if operation["path"] == "/minimumCompressionSize":
                        api.smallest_gzip_bytes = int(operation["value"]) if operation.get("value") else None
            case ["DELETE"]:
                del self._apis[identity]
            case ["POST", "deployments"]:
                api.stages[json.loads(body)["stageName"]] = _deployed(api)
            case ["DELETE", "stages", stage]:
                api.stages.pop(stage, None)

    def answer(self, request: Request, api: str, rest: str, mounted: str) -> Answer:
        """Answer a request to an API; `rest` is the path from the stage on, `mounted` the path before the stage."""
        name, _, below = rest.partition("/")
        path = f"/{below}"
        with self._lock:
            stage = self._apis[api].stages.get(name) if api in self._apis else None
        if not stage:
            return _refusal(403, "Forbidden")
        if len(request.body) > LARGEST_BODY_BYTES:
            return _refusal(413, "Request Too Long")
        found = _route(stage, path, request.method)
        if not found:
            return _refusal(403, "Missing Authentication Token")
        resource, parameters, operation = found
        integration = operation["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":
            return _mocked(integration)
        target = Target(api, name, resource, path, parameters, f"{mounted}/{name}")
        return self._through_function(request, stage, target, integration["uri"])

    def _through_function(self, request: Request, stage: Stage, target: Target, uri: str) -> Answer:
        """Let the function answer; any failure of it is the same 502 to the caller."""
        event = event_of(request, target, stage.binary_types)
        function = _FUNCTION.search(uri)
        try:
            returned = self._invoke(stage.region, function[1] if function else "", event)
            return answer_of(returned, request, stage.binary_types, stage.smallest_gzip_bytes)
        except (FunctionError, ValueError):
            return _refusal(502, "Internal server error")


def _deployed(api: Api) -> Stage:
    """Return a definition as a stage keeps it."""
    binary_types = tuple(api.document.get("x-amazon-apigateway-binary-media-types", ()))
    return Stage(api.region, api.document.get("paths", {}), binary_types, api.smallest_gzip_bytes)


def _route(stage: Stage, path: str, method: str) -> tuple[str, dict[str, str], dict[str, Any]] | None:
    """Find the resource, its parameters and the operation for a path, those without parameters first."""
    for resource in sorted(stage.paths, key=lambda one: one.count("{")):
        fits = _pattern(resource).fullmatch(path.rstrip("/") or "/")
        operation = stage.paths[resource].get(method.lower())
        if fits and operation:
            return resource, {name: unquote(value) for name, value in fits.groupdict().items()}, operation
    return None


@cache
def _pattern(resource: str) -> re.Pattern[str]:
    """`/static/{name}` -> a pattern with a group for each parameter; `{name+}` takes slashes too."""
    parts = re.split(r"\{([^}]+)\}", resource)  # text, parameter, text, parameter, ...
    for place, name in enumerate(parts):
        if place % 2:
            parts[place] = f"(?P<{name.rstrip('+')}>{'.+' if name.endswith('+') else '[^/]+'})"
        else:
            parts[place] = re.escape(name)
    return re.compile("".join(parts))


def _mocked(integration: dict[str, Any]) -> Answer:
    """Answer in place of a function, with the headers that the definition holds: a CORS preflight."""
    response = integration["responses"]["default"]
    headers = {
        name.removeprefix("method.response.header."): value.strip("'")
        for name, value in response.get("responseParameters", {}).items()
    }
    return Answer(int(response["statusCode"]), b"", {"Content-Type": "application/json", **headers})


def _refusal(status: int, message: str) -> Answer:
    return json_answer({"message": message}, status)
