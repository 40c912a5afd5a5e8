"""The output of Lambda functions in CloudWatch Logs: group `/aws/lambda/<function>`, a stream for each process.

Lines in the embedded metric format become CloudWatch metrics, as on AWS.
"""

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

from simulator.apps.embedded_metrics import metric_data

Stream = tuple[str, str, str]  # region, log group, stream
Entry = tuple[Stream, str, int]  # stream, line, milliseconds since 1970
BATCH_SECONDS = 0.2  # lines within this time are sent together


class FunctionLog:
    """Accepts lines from any thread, and writes them in a thread of its own until `stop`.

    `client` returns a boto3 client of a service and a region. A line that cannot be written is dropped, as on AWS.
    """

    def __init__(self, client: Callable[[str, str], Any]) -> None:
        self._client = client
        self._entries: queue.Queue[Entry | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="function-log")
        self._thread.start()

    def stream(self, region: str, function: str) -> Callable[[str], None]:
        """Return a callback that logs a line of a new process of a function."""
        name = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        stream = (region, f"/aws/lambda/{function}", name)
        return lambda line: self._entries.put((stream, line, int(time.time() * 1000)))

    def stop(self) -> None:
        """Write all lines, then end."""
        self._stopping.set()
        self._entries.put(None)
        self._thread.join()

    def _write_all(self) -> None:
        created: set[Stream] = set()
        while (first := self._entries.get()) is not None:
            self._stopping.wait(BATCH_SECONDS)
            events: dict[Stream, list[dict[str, Any]]] = defaultdict(list)
            for stream, line, milliseconds in [first, *self._waiting()]:
                events[stream].append({"timestamp": milliseconds, "message": line or " "})
            for stream, batch in events.items():
                try:
                    self._write(stream, batch, created)
                except (BotoCoreError, ClientError):
                    created.discard(stream)  # it may have been deleted: create it again for the next line

    def _waiting(self) -> list[Entry]:
        """Take all waiting lines; leaves the end marker in the queue."""
        entries: list[Entry] = []
        while not self._entries.empty():
            entry = self._entries.get()
            if entry is None:
                self._entries.put(None)
                break
            entries.append(entry)
        return entries

    def _write(self, stream: Stream, events: list[dict[str, Any]], created: set[Stream]) -> None:
        """Write lines to a stream; creates the stream on first use."""
        region, group, name = stream
        logs = self._client("logs", region)
        if stream not in created:
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=name)
            created.add(stream)
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=events)
        for namespace, data in metric_data(event["message"] for event in events).items():
            self._client("cloudwatch", region).put_metric_data(Namespace=namespace, MetricData=data)
