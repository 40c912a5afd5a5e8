"""The page about the API, rendered to HTML from the OpenAPI document and `static/api.html`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chalicelib import assets, feedback, http, openapi, predict_request, sentiment
from chalicelib.endpoint import GATEWAY_SECONDS
from chalicelib.pages import storage, template
from chalicelib.text import MAX_REVIEW_LENGTH

ONE = json.dumps({"review": "One of the best films I have ever seen."})
SEVERAL = json.dumps({"reviews": ["One of the best films I have ever seen.", "A waste of time."]})
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_UNKNOWN_HOST = "example.com"


class Field(NamedTuple):
    """A field of a JSON object; fields of nested objects have paths, such as `words[].text`."""

    path: str
    type: str
    required: bool
    description: str
    default: Any  # None: there is none


def response(request: http.Request) -> http.Response:
    """Return the page, with examples for the address that the request was sent to."""
    collection = feedback.collection()
    document = openapi.document(collection)
    html = template("api.html", type_name=openapi.type_name).render(
        base=request.base,
        address=address(request),
        version_of=assets.asset_version,
        bodies={"one": ONE, "several": SEVERAL},
        routes=list(_routes(document)),
        objects={name: list(fields(schema)) for name, schema in document["components"]["schemas"].items()},
        problems=openapi.problems(with_feedback=collection is not None),
        storage=storage(collection),
        max_body_bytes=predict_request.MAX_BODY_BYTES,
        max_review_length=MAX_REVIEW_LENGTH,
        max_reviews=sentiment.MAX_REVIEWS,
        max_seconds=GATEWAY_SECONDS,
    )
    return http.Response(html, http.HTML_TYPE)


def address(request: http.Request) -> str:
    """Return the absolute URL that the app is mounted at, from the headers of a request.

    A host that is not a plain name or address is replaced, because people paste the examples into a shell.
    """
    scheme = "https" if request.headers.get("x-forwarded-proto", "").startswith("https") else "http"
    host = request.headers.get("host", "")
    return f"{scheme}://{host if _HOST.fullmatch(host) else _UNKNOWN_HOST}{request.base}"


def fields(schema: Mapping[str, Any], parent: str = "") -> Iterator[Field]:
    """Yield the fields of an object's schema, and those of the objects in its lists."""
    for name, field in schema.get("properties", {}).items():
        path = f"{parent}{name}"
        required = name in schema.get("required", ())
        description, default = field.get("description", ""), field.get("default")
        yield Field(path, openapi.type_name(field), required, description, default)
        yield from fields(field.get("items", {}), f"{path}[].")


def _routes(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each route's method and path, with its operation and its path parameters."""
    for path, item in document["paths"].items():
        for method in ("get", "post"):
            if method in item:
                yield f"{method.upper()} {path}", {"parameters": [], **item, **item[method]}
