"""A training job's log in CloudWatch, read as it grows, and the figures of its rounds.

The container writes a line a round, tabs as `#011`: `[7]#011train-error:0.125#011validation-error:0.14`. A job on spare
machines may be interrupted; then it goes on in another stream, from a checkpoint that it names, counting from 0 again.
"""

import re
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from operations.aws.errors import is_absent
from training.model.trained import History

GROUP = "/aws/sagemaker/TrainingJobs"
_ROUND = re.compile(r"\[(\d+)\](?:#011|\t)(.*)")
_FIGURE = re.compile(r"(train|validation)-([^\s:]+):(\S+?)(?=#011|\s|$)")
_RESUMED = re.compile(r"Resuming from iteration (\d+)")


class JobLog:
    """The log of one job: all its streams, read on from where they were read to."""

    def __init__(self, logs: Any, job: str, group: str = GROUP) -> None:
        self._logs = logs
        self.job = job
        self._group = group
        self._streams: dict[str, list[str]] = {}  # name -> lines, in the order in which they began
        self._tokens: dict[str, str] = {}

    @property
    def lines(self) -> list[str]:
        """All that was read, stream after stream."""
        return [line for lines in self._streams.values() for line in lines]

    @property
    def history(self) -> History:
        """The figures of every round so far."""
        return history_of(self.lines)

    def read(self) -> list[str]:
        """Read on; returns the lines that are new. There are none while the job has no log."""
        new: list[str] = []
        for stream in self._names():
            lines = self._read_on(stream)
            self._streams.setdefault(stream, []).extend(lines)
            new += lines
        return new

    def _names(self) -> list[str]:
        """Return the names of the job's streams, the earliest first."""
        pages = self._logs.get_paginator("describe_log_streams")
        try:
            found = [
                stream
                for page in pages.paginate(logGroupName=self._group, logStreamNamePrefix=f"{self.job}/")
                for stream in page["logStreams"]
            ]
        except ClientError as error:
            if is_absent(error):
                return []
            raise
        return [str(one["logStreamName"]) for one in sorted(found, key=lambda one: int(one.get("creationTime", 0)))]

    def _read_on(self, stream: str) -> list[str]:
        """Read a stream to its end, which is where the service gives the same token again."""
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


def history_of(lines: Iterable[str]) -> History:
    """Return the figures that a log holds, one value a round: those of rounds that were run again count once."""
    rounds: list[dict[str, dict[str, float]]] = []
    before, resumed = 0, None
    for line in lines:
        if found := _RESUMED.search(line):
            resumed = int(found[1])
        elif found := _ROUND.search(line):
            number = int(found[1])
            if resumed is not None or number == 0:
                before, resumed = (resumed or 0) - number, None
            del rounds[before + number :]
            rounds.append(_figures(found[2]))
    return _by_metric(rounds)


def _figures(text: str) -> dict[str, dict[str, float]]:
    """`train-error:0.1#011validation-error:0.2` -> `{"train": {"error": 0.1}, "validation": {"error": 0.2}}`."""
    figures: dict[str, dict[str, float]] = {}
    for split, metric, value in _FIGURE.findall(text):
        figures.setdefault(split, {})[metric] = float(value)
    return figures


def _by_metric(rounds: list[dict[str, dict[str, float]]]) -> History:
    """Turn the figures of rounds into the rounds of figures."""
    return {
        split: {metric: [one[split][metric] for one in rounds] for metric in by}
        for split, by in (rounds[0] if rounds else {}).items()
    }
