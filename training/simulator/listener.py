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
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib.errors import SentimentError
from training.simulator.container import Answer
from training.simulator.faults import Misbehaviour
from training.simulator.runtime import ConnectionCutError, RuntimeEndpoint, error_answer

LOOPBACK = "127.0.0.1"
LARGEST_READ_BYTES = 32 * 1024 * 1024  # a larger body is not even read
CONTROL_PATH = "/_simulator"
MISBEHAVE_PATH = "/_simulator/misbehave"
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

    def do_POST(self) -> None:
        """InvokeEndpoint."""
        body = self._read_body()
        if body is None:
            return
        segments = urlsplit(self.path).path.split("/")
        if len(segments) != 4 or segments[1] != "endpoints" or segments[3] != "invocations":
            self._write(error_answer("UnknownOperationException", 404, "", str(uuid.uuid4())))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self._write(self.server.endpoint.invoke(unquote(segments[2]), headers, body))
        except ConnectionCutError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
            self.close_connection = True

    def do_GET(self) -> None:
        """Tell the simulator's state."""
        if self.path != CONTROL_PATH:
            self._write(error_answer("UnknownOperationException", 404, "", str(uuid.uuid4())))
            return
        orders = self.server.endpoint.orders
        self._write_state(
            {"endpoint": self.server.endpoint.name, "requests": orders.requests, "misbehaves": orders.current.kind}
        )

    def do_PUT(self) -> None:
        """Misbehave as told: `?as=slow:3&times=2`."""
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        times = query.get("times", ["0"])[0]
        try:
            order = Misbehaviour.parse(query.get("as", [""])[0])
        except SentimentError as error:
            self._write_state({"error": error.detail}, error.status)
            return
        if address.path != MISBEHAVE_PATH or not times.isdecimal():
            self._write_state({"error": f"PUT {MISBEHAVE_PATH}?as=KIND&times=NUMBER"}, 400)
            return
        self.server.endpoint.orders.misbehave(order, int(times) or None)
        self._write_state({"misbehaves": order.kind})

    def do_DELETE(self) -> None:
        """Behave again."""
        self.server.endpoint.orders.behave()
        self._write_state({"misbehaves": ""})

    def _read_body(self) -> bytes | None:
        """Read the request's body; None when its length is not said or absurd, which is then answered here."""
        length = self.headers.get("Content-Length", "0" if "Transfer-Encoding" not in self.headers else "")
        if length.isdecimal() and int(length) <= LARGEST_READ_BYTES:
            return self.rfile.read(int(length))
        self.close_connection = True
        status = 413 if length.isdecimal() else 411
        self._write(error_answer("ValidationError", status, HTTPStatus(status).phrase, str(uuid.uuid4())))
        return None

    def _write_state(self, state: dict[str, Any], status: int = 200) -> None:
        self._write(Answer(status, json.dumps(state).encode() + b"\n", {"Content-Type": "application/json"}))

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

    def server_bind(self) -> None:
        """Bind without asking the name service what the loopback is called."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client hangs up; show everything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


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
