"""Chalice's local server without its keep-alive delay: `python -m devserver.chalice_local local ...`.

Chalice's local server sends headers and body separately. By default the second packet waits until the client
acknowledges the first, which costs 40 ms per request on a kept-alive connection; TCP_NODELAY removes this delay.
It ignores the body of a chunked request, and then reads its chunks as the next request; here chunks are decoded, as by
API Gateway. The connection backlog is raised from 5, beyond which connections are reset. The process ends with its
parent. Disconnecting browsers and boto3's notes about its configuration are not logged.
"""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from socketserver import BaseServer
from typing import Any

import chalice.cli
from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer
from werkzeug.serving import DechunkedInput

from simulator.processes import end_with_parent

CONNECTION_BACKLOG = 128


def parse_payload(handler: ChaliceRequestHandler) -> tuple[dict[str, str], bytes | None]:
    """Return the headers and the body of a request; refuse a body whose length is invalid, and close the connection.

    Raises `ConnectionAbortedError` after the refusal.
    """
    coding = handler.headers.get("Transfer-Encoding", "").strip().lower()
    length = handler.headers.get("Content-Length", "0").strip()
    try:
        if coding:
            body = DechunkedInput(handler.rfile).read() if coding == "chunked" else None
        else:
            body = handler.rfile.read(int(length)) if length.isdecimal() else None
    except OSError:  # an invalid chunk
        body = None
    if body is None:
        handler.send_error(HTTPStatus.BAD_REQUEST, "The length or a chunk of the body is invalid")
        raise ConnectionAbortedError
    return dict(handler.headers), body or None


def method_handler(handler: ChaliceRequestHandler, name: str) -> Callable[[], None]:
    """Return the handler of a method that Chalice's server does not know, such as TRACE, so that the app refuses it."""
    if not name.startswith("do_"):
        raise AttributeError(name)
    return handler._generic_handle


def show_error(server: BaseServer, request: Any, client_address: Any) -> None:
    """Log an error in a connection, unless the client has disconnected."""
    if not isinstance(sys.exc_info()[1], ConnectionError):
        BaseServer.handle_error(server, request, client_address)


if __name__ == "__main__":
    ChaliceRequestHandler.disable_nagle_algorithm = True
    ChaliceRequestHandler._parse_payload = parse_payload  # type: ignore[method-assign, assignment]  # as a method
    ChaliceRequestHandler.__getattr__ = method_handler
    ThreadedHTTPServer.request_queue_size = CONNECTION_BACKLOG
    ThreadedHTTPServer.handle_error = show_error
    logging.getLogger("botocore").setLevel(logging.WARNING)
    end_with_parent()
    sys.exit(chalice.cli.main())
