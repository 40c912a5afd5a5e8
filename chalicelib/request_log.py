"""One JSON line a request, on standard output, where Lambda and `chalice local` both pick it up.

It holds the request's id, route, method, status and milliseconds, and what the answer says of itself: rows, share of
known words, release, variant, and the cause of a fault. Never a review, a word of one, an address or a header.
"""

import json
import sys

from chalicelib.http import Answer, Call


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
    sys.stdout.write(json.dumps(facts, separators=(",", ":")) + "\n")
    sys.stdout.flush()
