"""HTTP on a loopback port: requests to the endpoint on this machine, and this program's own control path.

`POST /endpoints/<name>/invocations` is InvokeEndpoint (see `runtime`). `/_simulator` belongs to this program: GET tells
its state, `PUT /_simulator/misbehave?as=throttled&times=2` makes it misbehave (see `faults`), DELETE of the same path
ends that. Connections are kept alive, and small packets sent at once, so that a warm call is not held up.
"""

import errno
import json
import socket
import socketserver
import struct
import sys
import uuid
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib.errors import SentimentError
from training.simulator.container import Answer
from training.simulator.faults import Misbehaviour, Orders
from training.simulator.runtime import ConnectionCutError, RuntimeEndpoint, error_answer

LOOPBACK = "127.0.0.1"
LARGEST_READ_BYTES = 32 * 1024 * 1024  # a larger body is not even read
STATE_PATH = "/_simulator"
MISBEHAVE_PATH = f"{STATE_PATH}/misbehave"
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s


class PortInUseError(SentimentError):
    """A port that is wanted here belongs to another program."""

    type = "port-in-use"
    title = "The port is in use"


class Handler(BaseHTTPRequestHandler):
    """HTTP on one connection: reads a request whole, hands it on, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    server_version = "VerdictSimulator"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "Listener"

    def handle_request(self) -> None:
        """Answer one request of any kind, or hang up when told to cut the connection."""
        body = self._read_body()
        if body is None:
            return
        try:
            self._write(self._answer(body))
        except ConnectionCutError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815  # http.server names them so

    def _answer(self, body: bytes) -> Answer:
        """Route a request; raises `ConnectionCutError`."""
        address = urlsplit(self.path)
        orders = self.server.endpoint.orders
        match [self.command, *address.path.split("/")[1:]]:
            case ["POST", "endpoints", name, "invocations"]:
                headers = {name.lower(): value for name, value in self.headers.items()}
                return self.server.endpoint.invoke(unquote(name), headers, body)
            case ["GET", "_simulator"]:
                return _state(endpoint=self.server.endpoint.name, requests=orders.requests, as_told=orders.current.kind)
            case ["PUT", "_simulator", "misbehave"]:
                return _misbehave(orders, parse_qs(address.query))
            case ["DELETE", "_simulator", "misbehave"]:
                orders.behave()
                return _state(as_told="")
        return error_answer("UnknownOperationException", 404, f"{self.command} {self.path}", str(uuid.uuid4()))

    def _read_body(self) -> bytes | None:
        """Read the request's body; None when its length is not said or absurd, which is then answered here.

        Raises `ConnectionAbortedError` when the body ends early.
        """
        length = self.headers.get("Content-Length", "0" if "Transfer-Encoding" not in self.headers else "")
        if length.isdecimal() and int(length) <= LARGEST_READ_BYTES:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                raise ConnectionAbortedError("the client hung up in the middle of its request")
            return body
        self.close_connection = True
        status = 413 if length.isdecimal() else 411
        self._write(error_answer("ValidationError", status, HTTPStatus(status).phrase, str(uuid.uuid4())))
        return None

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: what came is counted, and told by GET."""


class Listener(ThreadingHTTPServer):
    """The socket, with a thread for each connection."""

    request_queue_size = 128

    def __init__(self, port: int, endpoint: RuntimeEndpoint) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.endpoint = endpoint
        self._connections: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and remember it for `hang_up`."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close every connection that is open, those kept for a next request among them."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def server_bind(self) -> None:
        """Bind without asking the name service what the loopback is called."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client hangs up; show everything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _misbehave(orders: Orders, query: dict[str, list[str]]) -> Answer:
    """Pass on what the query tells: `as` (see `faults`) and, unless it is for good, `times`."""
    times = query.get("times", ["0"])[0]
    if not times.isdecimal():
        return _state(400, error=f"times={times} is not a number of requests.")
    try:
        misbehaviour = Misbehaviour.parse(query.get("as", [""])[0])
    except SentimentError as error:
        return _state(400, error=error.detail)
    orders.misbehave(misbehaviour, int(times) or None)
    return _state(as_told=misbehaviour.kind)


def _state(status: int = 200, **facts: object) -> Answer:
    return Answer(status, json.dumps(facts).encode() + b"\n", {"Content-Type": "application/json"})


def listen(port: int, endpoint: RuntimeEndpoint) -> Listener:
    """Listen for an endpoint on a loopback port; raises `PortInUseError` when another program has it."""
    try:
        return Listener(port, endpoint)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise PortInUseError(
            f"Port {port} on {LOOPBACK} is in use by another program, or not allowed. Choose another with --port."
        ) from error
