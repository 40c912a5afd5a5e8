"""API Gateway's swagger documents, as moto's stricter reader takes them.

`chalice deploy` sends Swagger 2.0, which API Gateway reads and moto (5.2) refuses: it wants OpenAPI 3, a description,
and a `uri` and a method in every integration, which a mock has none of. Requests are routed by the document as it came
(see `gateway`), so nothing depends on what is made up here.
"""

import json
from typing import Any

_FOR_MOCKS = {"uri": "arn:aws:apigateway:us-east-1:mock:path/", "httpMethod": "POST"}


def read(body: bytes) -> dict[str, Any]:
    """Read a document; an empty one where the body is no JSON object, for moto to refuse."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def for_moto(document: dict[str, Any]) -> dict[str, Any]:
    """Return the same API in a document that moto takes."""
    taken = {key: value for key, value in document.items() if key != "swagger"}
    taken["openapi"] = "3.0.1"
    taken["info"] = {"description": "", **document.get("info", {})}
    taken["paths"] = {
        path: {method: _complete(operation) for method, operation in methods.items()}
        for path, methods in document.get("paths", {}).items()
    }
    return taken


def _complete(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation whose integration has what moto looks for."""
    integration = operation.get("x-amazon-apigateway-integration")
    if not integration:
        return operation
    return {**operation, "x-amazon-apigateway-integration": {**_FOR_MOCKS, **integration}}
