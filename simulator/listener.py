"""HTTP on a loopback port, for whatever answers on this machine: one endpoint, or a whole AWS (see `site`, `aws`).

Connections are kept alive, and small packets sent at once, so that a warm call is not held up.
"""

import errno
import re
import socket
import socketserver
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.errors import SentimentError
from simulator.wire import Answer, ConnectionCutError, Request, Site, json_answer

LOOPBACK = "127.0.0.1"
LARGEST_READ_BYTES = 32 * 1024 * 1024  # a larger body is not even read
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
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self._write(self._answer(Request(self.command, self.path, headers, body)))
        except ConnectionCutError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
            self.close_connection = True

    def _answer(self, request: Request) -> Answer:
        """Return the site's answer; a bug in the site is told to the client too before it goes up."""
        try:
            return self.server.site.answer(request)
        except ConnectionCutError:
            raise
        except Exception as error:
            self.close_connection = True
            bug = f"The simulator failed on this request: {type(error).__name__}. It shows the traceback."
            told = json_answer({"__type": "InternalFailure", "message": bug}, HTTPStatus.INTERNAL_SERVER_ERROR)
            self._write(replace(told, headers={**told.headers, "x-amzn-ErrorType": "InternalFailure"}))
            raise

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come: a client that waits for this sends nothing before."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_request  # noqa: N815

    def _read_body(self) -> bytes | None:
        """Read the request's body; None when its length is not said or absurd, which is then answered here.

        Raises `ConnectionAbortedError` when the body ends early.
        """
        if self.server.takes_chunks and "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self._read_chunks()
        length = self.headers.get("Content-Length", "0" if "Transfer-Encoding" not in self.headers else "")
        if length.isdecimal() and int(length) <= self.server.largest_body_bytes:
            return self._read_exactly(int(length))
        return self._refuse(413 if length.isdecimal() else 411)

    def _read_chunks(self) -> bytes | None:
        """Read a body that comes in chunks, each after a line with its size in hexadecimal (RFC 9112, 7.1)."""
        chunks: list[bytes] = []
        left = self.server.largest_body_bytes
        while True:
            size = self.rfile.readline().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                return self._refuse(400)
            left -= int(size, 16)
            if left < 0:
                return self._refuse(413)
            if not int(size, 16):
                break
            chunks.append(self._read_exactly(int(size, 16)))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            continue
        return b"".join(chunks)

    def _read_exactly(self, size_bytes: int) -> bytes:
        """Read so many bytes; raises `ConnectionAbortedError` when they end early."""
        body = self.rfile.read(size_bytes)
        if len(body) < size_bytes:
            raise ConnectionAbortedError("the client hung up in the middle of its request")
        return body

    def _refuse(self, status: int) -> bytes | None:
        """Answer a body that will not be read, and end the connection, since it may still be coming."""
        self.close_connection = True
        self._write(json_answer({"Message": HTTPStatus(status).phrase}, status))
        return None

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: what came is counted, and told by GET."""


class Listener(ThreadingHTTPServer):
    """The socket, with a thread for each connection."""

    request_queue_size = 128

    def __init__(self, port: int, site: Site, largest_body_bytes: int, takes_chunks: bool) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.site = site
        self.largest_body_bytes = largest_body_bytes
        self.takes_chunks = takes_chunks
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
        """Stay silent when a client hangs up; show everything else, a bug in the site, with its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Listening:
    """A site that is listened for, in a thread, from its making until `stop`."""

    def __init__(
        self, port: int, site: Site, largest_body_bytes: int = LARGEST_READ_BYTES, takes_chunks: bool = False
    ) -> None:
        """Take a loopback port (0: any that is free); raises `PortInUseError` when another program has it.

        `takes_chunks` reads bodies that do not say their length, which SageMaker's runtime refuses and S3 takes.
        """
        try:
            self._listener = Listener(port, site, largest_body_bytes, takes_chunks)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise PortInUseError(
                f"Port {port} on {LOOPBACK} is in use by another program, or not allowed. Choose another with --port."
            ) from error
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        """The loopback port that is listened on."""
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def is_serving(self) -> bool:
        """Whether connections are still taken."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Let go of the port and of every connection; what is being answered is cut off."""
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.hang_up()
        self._thread.join()
