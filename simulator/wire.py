"""A request and its answer, as they pass between the listener and whatever answers on this machine."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, body, and the headers that matter."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """An HTTP request, read whole: `target` is path and query as they came, header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return urlsplit(self.target).path

    @property
    def segments(self) -> list[str]:
        """The path's parts, decoded: `/endpoints/a/invocations` -> `["endpoints", "a", "invocations"]`."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters, the first value of each."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def scope(self) -> tuple[str, str]:
        """The region and the service that the signature is for; ("", "") where there is none."""
        found = _SCOPE.search(self.headers.get("authorization", ""))
        return (found[1], found[2]) if found else ("", "")

    @property
    def action(self) -> tuple[str, str]:
        """Service and operation of a JSON protocol: `SageMaker.CreateModel` -> `("SageMaker", "CreateModel")`."""
        service, _, operation = self.headers.get("x-amz-target", "").partition(".")
        return service, operation


class Site(Protocol):
    """Whatever answers requests; called from many threads at once."""

    def answer(self, request: Request) -> Answer:
        """Answer one request; raises `ConnectionCutError` to hang up instead."""
        ...


class ConnectionCutError(ConnectionAbortedError):
    """The connection must be closed without an answer."""


def json_answer(document: object, status: int = 200, content_type: str = "application/json") -> Answer:
    """Return a document as JSON."""
    return Answer(status, json.dumps(document).encode() + b"\n", {"Content-Type": content_type})
