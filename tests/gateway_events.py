"""Lambda events as API Gateway sends them to the app."""

from typing import Any


def gateway_event(
    method: str, route: str, body: str | None = None, *, base64_encoded: bool = False, **headers: str
) -> dict[str, Any]:
    """Create the event of a request to stage `dev`; underscores in names of headers become hyphens."""
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route,
            "path": f"/dev{route}",
            "requestId": "gateway-id",
        },
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "pathParameters": {},
        "stageVariables": None,
        "multiValueQueryStringParameters": None,
        "body": body,
        "isBase64Encoded": base64_encoded,
    }
