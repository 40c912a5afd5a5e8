"""The request log: one JSON object per line on standard output, where Lambda and `chalice local` collect it.

It has the request's id, route, method, status and milliseconds, and the response's log fields: rows, share of known
words, release, variant, and the cause of a fault. The line of a verdict has its metrics too; see `embedded_metrics`.
It never has a review, a word of one, an IP address or a header.
"""

import json
import os
import sys
import time

from chalicelib import embedded_metrics
from chalicelib.http import Request, Response


def write(request: Request, response: Response, milliseconds: float | None = None) -> None:
    """Write the line of a request; `milliseconds` is None if the time was not measured."""
    fields = {
        "id": request.request_id,
        "route": request.route,
        "method": request.method,
        "status": response.status,
        "ms": milliseconds if milliseconds is None else round(milliseconds, 1),
        **response.log_fields,
        **_metrics(response),
    }
    sys.stdout.write(json.dumps(fields, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _metrics(response: Response) -> dict[str, object]:
    """Return the fields of the response's metrics, by stage and variant."""
    stage, variant = os.environ.get("VERDICT_STAGE", "dev"), str(response.log_fields.get("variant") or "")
    return embedded_metrics.log_fields(response.metrics, stage, variant, time.time())
