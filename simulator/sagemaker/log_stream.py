"""Log streams in CloudWatch Logs, written in batches."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

_BATCH_SECONDS = 0.2  # the longest delay of a line while others follow
_BATCH_LINES = 500


class LogStream:
    """A stream of a log group, created with the first lines. Not thread-safe."""

    def __init__(
        self,
        logs: Any,
        group: str,
        stream: str,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logs = logs
        self._names = {"logGroupName": group, "logStreamName": stream}
        self._now = now
        self._clock = clock
        self._buffer: list[dict[str, Any]] = []
        self._exists = False
        self._flushed_at = clock()

    def write(self, line: str) -> None:
        """Add a line to the batch, and send the batch if it is due."""
        self._buffer.append({"timestamp": int(self._now().timestamp() * 1000), "message": line or " "})
        if self._clock() - self._flushed_at >= _BATCH_SECONDS or len(self._buffer) >= _BATCH_LINES:
            self.flush()

    def flush(self) -> None:
        """Send the batch."""
        if not self._buffer:
            return
        if not self._exists:
            self._create()
        self._logs.put_log_events(**self._names, logEvents=self._buffer)
        self._buffer = []
        self._flushed_at = self._clock()

    def _create(self) -> None:
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_group(logGroupName=self._names["logGroupName"])
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_stream(**self._names)
        self._exists = True
