"""A job's log stream in CloudWatch Logs, written in batches while the job is under way."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

_BATCH_SECONDS = 0.2  # lines wait so long at most until they can be read, as long as others follow
_BATCH_LINES = 500


class LogStream:
    """One stream of a group, made when the first lines are sent. For one thread."""

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
        self._waiting: list[dict[str, Any]] = []
        self._made = False
        self._sent_at = clock()

    def write(self, line: str) -> None:
        """Take a line; it is sent along with others."""
        self._waiting.append({"timestamp": int(self._now().timestamp() * 1000), "message": line or " "})
        if self._clock() - self._sent_at >= _BATCH_SECONDS or len(self._waiting) >= _BATCH_LINES:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if not self._waiting:
            return
        if not self._made:
            self._make()
        self._logs.put_log_events(**self._names, logEvents=self._waiting)
        self._waiting = []
        self._sent_at = self._clock()

    def _make(self) -> None:
        for make, names in (
            (self._logs.create_log_group, {"logGroupName": self._names["logGroupName"]}),
            (self._logs.create_log_stream, self._names),
        ):
            with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                make(**names)
        self._made = True
