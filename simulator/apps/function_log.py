"""What functions print, in CloudWatch Logs as on AWS: group `/aws/lambda/<function>`, a stream for each process."""

import queue
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Entry = tuple[str, str, str, str, int]  # region, group, stream, line, milliseconds since 1970
GATHERING_SECONDS = 0.2  # lines that come meanwhile travel together


class FunctionLog:
    """Takes lines from any thread, and writes them in one of its own, from its making until `stop`.

    `logs` makes a client of CloudWatch Logs by region. A line that cannot be written is dropped, as on AWS.
    """

    def __init__(self, logs: Callable[[str], Any]) -> None:
        self._logs = logs
        self._entries: queue.Queue[Entry | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="function-log")
        self._thread.start()

    def stream(self, region: str, function: str) -> Callable[[str], None]:
        """Return what takes the lines of one process of a function."""
        group = f"/aws/lambda/{function}"
        name = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        return lambda line: self._entries.put((region, group, name, line, int(time.time() * 1000)))

    def stop(self) -> None:
        """Write what has come until now, then end."""
        self._stopping.set()
        self._entries.put(None)
        self._thread.join()

    def _write_all(self) -> None:
        known: set[tuple[str, str, str]] = set()
        while (first := self._entries.get()) is not None:
            self._stopping.wait(GATHERING_SECONDS)
            gathered: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
            for region, group, stream, line, milliseconds in [first, *self._waiting()]:
                gathered[region, group, stream].append({"timestamp": milliseconds, "message": line or " "})
            for place, events in gathered.items():
                try:
                    self._write(place, events, known)
                except (BotoCoreError, ClientError):
                    known.discard(place)  # it may have been deleted: the next line makes it anew

    def _waiting(self) -> list[Entry]:
        """Take all lines that wait; leaves the sign to end where it is."""
        taken: list[Entry] = []
        while not self._entries.empty():
            entry = self._entries.get()
            if entry is None:
                self._entries.put(None)
                break
            taken.append(entry)
        return taken

    def _write(
        self, place: tuple[str, str, str], events: list[dict[str, Any]], known: set[tuple[str, str, str]]
    ) -> None:
        """Write the lines of a stream, which is made when it is new."""
        region, group, stream = place
        logs = self._logs(region)
        if place not in known:
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            known.add(place)
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
