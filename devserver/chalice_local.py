"""Chalice's local server without its keep-alive delay: `python -m devserver.chalice_local local ...`.

Chalice's local server sends headers and body separately. By default the second packet waits until the client
acknowledges the first, which costs 40 ms per request on a kept-alive connection; TCP_NODELAY removes this delay.
The connection backlog is raised from 5, beyond which connections are reset. The process ends with its parent.
Disconnecting browsers and boto3's notes about its configuration are not logged.
"""

import logging
import sys
from socketserver import BaseServer
from typing import Any

import chalice.cli
from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer

from simulator.processes import end_with_parent

CONNECTION_BACKLOG = 128


def show_error(server: BaseServer, request: Any, client_address: Any) -> None:
    """Log an error in a connection, unless the client has disconnected."""
    if not isinstance(sys.exc_info()[1], ConnectionError):
        BaseServer.handle_error(server, request, client_address)


if __name__ == "__main__":
    ChaliceRequestHandler.disable_nagle_algorithm = True
    ThreadedHTTPServer.request_queue_size = CONNECTION_BACKLOG
    ThreadedHTTPServer.handle_error = show_error
    logging.getLogger("botocore").setLevel(logging.WARNING)
    end_with_parent()
    sys.exit(chalice.cli.main())
