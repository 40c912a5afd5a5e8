"""`python -m devserver.chalice_local local ...`: Chalice's own command line, without its keep-alive stall.

Chalice's local server writes headers and body separately, and by default the second waits for the client to
acknowledge the first: 40 ms lost in every request on a kept connection. Sending at once cures it. Its queue of
connections holds five, and more at once are reset; here it is longer. The process also ends with the program that
started it. Browsers that hang up, and boto3's notes on where it found its settings, stay out of the log.
"""

import logging
import sys
from socketserver import BaseServer
from typing import Any

import chalice.cli
from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer

from simulator.child_process import end_with_parent

LONGEST_QUEUE = 128  # connections that wait to be taken


def show_error(server: BaseServer, request: Any, client_address: Any) -> None:
    """Show every error in a connection but a client's hanging up."""
    if not isinstance(sys.exc_info()[1], ConnectionError):
        BaseServer.handle_error(server, request, client_address)


if __name__ == "__main__":
    ChaliceRequestHandler.disable_nagle_algorithm = True
    ThreadedHTTPServer.request_queue_size = LONGEST_QUEUE
    ThreadedHTTPServer.handle_error = show_error
    logging.getLogger("botocore").setLevel(logging.WARNING)
    end_with_parent()
    sys.exit(chalice.cli.main())
