"""The request log: a line for each request.

It has the request's id, route, method, status and milliseconds, and the response's log fields: rows, share of known
words, release, variant, and the cause of a fault. The line of a verdict has its metrics too; see `embedded_metrics`. A
write of sampled reviews has a line of its own, with their number. The log never has a review, a word of one, an IP
address or a header.
"""

import os
import time

from chalicelib import embedded_metrics
from chalicelib.http import Request, Response
from chalicelib.log import write_line


def write_samples(stored: int, failed: int, cause: str) -> None:
    """Write the line of a write of sampled reviews; `cause` is the last failure's error, "" if there is none."""
    write_line({"samples_stored": stored, "samples_failed": failed, "cause": cause or None})


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
    write_line(fields)


def _metrics(response: Response) -> dict[str, object]:
    """Return the fields of the response's metrics, by stage and variant."""
    stage, variant = os.environ.get("VERDICT_STAGE", "dev"), str(response.log_fields.get("variant") or "")
    return embedded_metrics.log_fields(response.metrics, stage, variant, time.time())
