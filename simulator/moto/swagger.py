"""API Gateway's Swagger documents, converted for moto's stricter parser.

`chalice deploy` sends Swagger 2.0, which API Gateway accepts and moto (5.2) rejects: moto requires OpenAPI 3, a
description, and a `uri` and a method in every integration, which mock integrations lack. Requests are routed by the
original document (see `simulator.apps.gateway`), so the values added here have no effect.
"""

import json
from typing import Any

_ADDED_TO_MOCKS = {"uri": "arn:aws:apigateway:us-east-1:mock:path/", "httpMethod": "POST"}


def parse(body: bytes) -> dict[str, Any]:
    """Parse a document; returns an empty one, which moto rejects, if the body is not a JSON object."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def for_moto(document: dict[str, Any]) -> dict[str, Any]:
    """Convert a document to what moto accepts."""
    converted = {key: value for key, value in document.items() if key != "swagger"}
    converted["openapi"] = "3.0.1"
    converted["info"] = {"description": "", **document.get("info", {})}
    converted["paths"] = {
        path: {method: _complete(operation) for method, operation in methods.items()}
        for path, methods in document.get("paths", {}).items()
    }
    return converted


def _complete(operation: dict[str, Any]) -> dict[str, Any]:
    """Add what moto requires in an integration."""
    integration = operation.get("x-amazon-apigateway-integration")
    if not integration:
        return operation
    return {**operation, "x-amazon-apigateway-integration": {**_ADDED_TO_MOCKS, **integration}}
