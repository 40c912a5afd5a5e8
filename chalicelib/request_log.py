"""One JSON line a request, on standard output, where Lambda and `chalice local` both pick it up.

It holds the request's id, route, method, status and milliseconds, and what the answer says of itself: rows, share of
known words, release, variant, and the cause of a fault. Never a review, a word of one, an address or a header.
"""

import json
import logging
import sys
from functools import cache

from chalicelib.http import Answer, Call


@cache
def _logger() -> logging.Logger:
    """Return the log, with a bare line format, apart from the root log that Lambda decorates."""
    logger = logging.getLogger("verdict.requests")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def write(call: Call, answer: Answer, milliseconds: float | None = None) -> None:
    """Write a request's line; `milliseconds` is None where the time was not taken."""
    facts = {
        "id": call.request_id,
        "route": call.route,
        "method": call.method,
        "status": answer.status,
        "ms": milliseconds if milliseconds is None else round(milliseconds, 1),
        **answer.facts,
    }
    _logger().info(json.dumps(facts, separators=(",", ":")))
