"""HTTP requests and responses, with what AWS adds to them."""

import json
import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from werkzeug import Request as WerkzeugRequest

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class HttpResponse:
    """A response: status, body, headers."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HttpRequest(WerkzeugRequest):
    """A request whose body has been read."""

    @property
    def body(self) -> bytes:
        """The body, without any transfer encoding."""
        return self.get_data()

    @property
    def encoded_path(self) -> str:
        """The path, still percent-encoded."""
        path: str = self.environ["RAW_URI"].partition("?")[0]
        return path

    @property
    def segments(self) -> list[str]:
        """The decoded segments of the path: `/endpoints/a/invocations` -> `["endpoints", "a", "invocations"]`."""
        return [unquote(segment) for segment in self.encoded_path.split("/")[1:]]

    @property
    def scope(self) -> tuple[str, str]:
        """Region and service that the signature is for; ("", "") for an unsigned request."""
        found = _SCOPE.search(self.headers.get("Authorization", ""))
        return (found[1], found[2]) if found else ("", "")

    @property
    def action(self) -> tuple[str, str]:
        """Service and operation of a JSON protocol: `SageMaker.CreateModel` -> `("SageMaker", "CreateModel")`."""
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        return service, operation


class Site(Protocol):
    """An HTTP application; called from many threads at once."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; raises `ConnectionCutError` to close the connection instead."""
        ...


class ConnectionCutError(ConnectionAbortedError):
    """The connection must be closed without a response."""


def json_response(document: object, status: int = 200) -> HttpResponse:
    """Return a document as JSON."""
    return HttpResponse(status, json.dumps(document).encode() + b"\n", {"Content-Type": "application/json"})
