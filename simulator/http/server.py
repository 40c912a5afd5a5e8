"""The HTTP server: werkzeug reads the requests; keep-alive, cut connections, and a clean stop are added here.

werkzeug's own server closes the connection after every response. Here connections stay open, and each response is sent
in as few packets as possible, so that no request waits for a delayed acknowledgement.
"""

import errno
import socket
import struct
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import ClientDisconnected, HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from chalicelib.errors import SentimentError
from simulator.http import browser_guard
from simulator.http.messages import ConnectionCutError, HttpRequest, HttpResponse, Site, json_response

LOOPBACK = "127.0.0.1"
LARGEST_BODY_BYTES = 32 * 1024 * 1024
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s


class PortInUseError(SentimentError):
    """Another program uses the port."""

    type = "port-in-use"
    title = "The port is in use"


class Handler(WSGIRequestHandler):
    """The requests of a connection."""

    protocol_version = "HTTP/1.1"
    server_version = "VerdictSimulator"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "_Server"

    def run_wsgi(self) -> None:
        """Answer a request, or close the connection for an injected fault."""
        request = HttpRequest(self.make_environ())
        request.max_content_length = self.server.largest_body_bytes
        try:
            foreign = browser_guard.refusal(request)
            refusal = 0 if foreign else self._read_body(request)
            if foreign:
                self.close_connection = True
                self._write(foreign)
            elif refusal:
                self.close_connection = True  # the body may still be coming
                self._write(json_response({"Message": HTTPStatus(refusal).phrase}, refusal))
            else:
                self._write(self._handle(request))
        except ConnectionCutError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
            self.close_connection = True

    def _read_body(self, request: HttpRequest) -> int:
        """Read the body; return the status of the refusal if it cannot be read, else 0.

        Raises `ConnectionAbortedError` if it ends early.
        """
        chunked = "wsgi.input_terminated" in request.environ
        if not self.headers.get("Content-Length", "0").isdecimal() or (chunked and not self.server.accepts_chunked):
            return HTTPStatus.LENGTH_REQUIRED
        try:
            request.get_data()
        except HTTPException as error:
            if isinstance(error, ClientDisconnected) and not chunked:  # if chunked, this may be a malformed chunk
                raise ConnectionAbortedError("The client closed the connection within its request.") from error
            return error.code or HTTPStatus.BAD_REQUEST
        return 0

    def _handle(self, request: HttpRequest) -> HttpResponse:
        """Return the site's response; reports a bug in the site to the client before raising it."""
        try:
            return self.server.site.handle(request)
        except ConnectionCutError:
            raise
        except Exception as error:
            self.close_connection = True
            message = f"The simulator failed on this request: {type(error).__name__}. See the traceback that it prints."
            response = json_response({"__type": "InternalFailure", "message": message}, 500)
            self._write(HttpResponse(500, response.body, {**response.headers, "x-amzn-ErrorType": "InternalFailure"}))
            raise

    def handle_expect_100(self) -> bool:
        """Let the client send the body now: it waits for this."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _write(self, response: HttpResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != HTTPStatus.NO_CONTENT and "Content-Length" not in response.headers:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: requests are counted instead."""


class _Server(ThreadedWSGIServer):
    """The socket, and a thread for each connection."""

    def __init__(self, listening: socket.socket, site: Site, largest_body_bytes: int, accepts_chunked: bool) -> None:
        host, port = listening.getsockname()
        super().__init__(host, port, _no_wsgi, Handler, fd=listening.fileno())
        listening.close()  # the server has a duplicate
        self.site = site
        self.largest_body_bytes = largest_body_bytes
        self.accepts_chunked = accepts_chunked
        self._connections: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close all open connections, idle ones included."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of a bug; ignore clients that close their connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _no_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Stand in for the WSGI application, which `Handler` does not call."""
    raise NotImplementedError


class HttpServer:
    """A site on a loopback port, served in a thread from construction until `stop`."""

    def __init__(
        self, port: int, site: Site, largest_body_bytes: int = LARGEST_BODY_BYTES, accepts_chunked: bool = False
    ) -> None:
        """Listen on a port (0: any free one); raises `PortInUseError`.

        `accepts_chunked` accepts bodies without a length, as S3 does and the SageMaker Runtime does not.
        """
        try:
            listening = socket.create_server((LOOPBACK, port), backlog=128)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise PortInUseError(
                f"Port {port} on {LOOPBACK} is used by another program, or not allowed. Choose another with --port."
            ) from error
        self._server = _Server(listening, site, largest_body_bytes, accepts_chunked)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        """The port."""
        return self._server.port

    @property
    def url(self) -> str:
        """The address."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Free the port and close all connections, also those whose request is being answered."""
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()
