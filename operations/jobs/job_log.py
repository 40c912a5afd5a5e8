"""A job's log in CloudWatch, read as it grows, and the metrics of a training job's rounds.

The container logs a line per round, with tabs as `#011`: `[7]#011train-error:0.125#011validation-error:0.14`. A job on
spot instances may be interrupted; it then resumes from a checkpoint, in another stream, and counts from 0 again.
"""

import re
from collections.abc import Iterable
from typing import Any

from operations.aws.errors import if_there
from training.model.cross_validation import History

GROUP = "/aws/sagemaker/TrainingJobs"
TAIL_LINES = 8
_ROUND = re.compile(r"\[(\d+)\](?:#011|\t)(.*)")
_METRIC = re.compile(r"(train|validation)-([^\s:]+):(\S+?)(?=#011|\s|$)")
_RESUMED = re.compile(r"Resuming from iteration (\d+)")


class JobLog:
    """The log of one job: all its streams, each read from where it was last read to."""

    def __init__(self, logs: Any, job: str, group: str = GROUP) -> None:
        self._logs = logs
        self.job = job
        self._group = group
        self._streams: dict[str, list[str]] = {}  # name -> lines, earliest stream first
        self._tokens: dict[str, str] = {}

    @property
    def lines(self) -> list[str]:
        """All lines read so far, stream by stream."""
        return [line for lines in self._streams.values() for line in lines]

    @property
    def history(self) -> History:
        """The metrics of every round so far."""
        return history_of(self.lines)

    def read(self) -> None:
        """Read the new lines, if the job has a log."""
        for stream in self._names():
            self._streams.setdefault(stream, []).extend(self._read_stream(stream))

    def _names(self) -> list[str]:
        """Return the names of the job's streams, earliest first."""
        pages = self._logs.get_paginator("describe_log_streams")
        request = {"logGroupName": self._group, "logStreamNamePrefix": f"{self.job}/"}
        found = (if_there(pages.paginate(**request).build_full_result) or {}).get("logStreams", [])
        return [str(stream["logStreamName"]) for stream in sorted(found, key=lambda s: int(s.get("creationTime", 0)))]

    def _read_stream(self, stream: str) -> list[str]:
        """Read a stream to its end, which is where the service returns the same token again."""
        lines: list[str] = []
        while True:
            token = self._tokens.get(stream)
            page = self._logs.get_log_events(
                logGroupName=self._group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            lines += [str(event["message"]).rstrip("\n") for event in page["events"]]
            self._tokens[stream] = str(page["nextForwardToken"])
            if self._tokens[stream] == token:
                return lines


def log_tail(log: JobLog) -> str:
    """Return the last lines of a log for an error message, "" if there are none."""
    lines = log.lines[-TAIL_LINES:]
    return "\n  ".join(["\nIts log ends:", *lines]) if lines else ""


def history_of(lines: Iterable[str]) -> History:
    """Return the metrics in a log, one value per round; a round that was run again counts once."""
    rounds: list[dict[str, dict[str, float]]] = []
    offset, resumed = 0, None
    for line in lines:
        if found := _RESUMED.search(line):
            resumed = int(found[1])
        elif found := _ROUND.search(line):
            number = int(found[1])
            if resumed is not None or number == 0:
                offset, resumed = (resumed or 0) - number, None
            del rounds[offset + number :]
            rounds.append(_metrics(found[2]))
    return _by_metric(rounds)


def _metrics(text: str) -> dict[str, dict[str, float]]:
    """`train-error:0.1#011validation-error:0.2` -> `{"train": {"error": 0.1}, "validation": {"error": 0.2}}`."""
    metrics: dict[str, dict[str, float]] = {}
    for split, metric, value in _METRIC.findall(text):
        metrics.setdefault(split, {})[metric] = float(value)
    return metrics


def _by_metric(rounds: list[dict[str, dict[str, float]]]) -> History:
    """Transpose the metrics of rounds into rounds by metric."""
    return {
        split: {metric: [metrics[split][metric] for metrics in rounds] for metric in by_metric}
        for split, by_metric in (rounds[0] if rounds else {}).items()
    }
